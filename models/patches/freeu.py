"""FreeU: strengthens a UNet's backbone and dampens the low frequencies of its skip connections; arXiv:2309.11497."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.unet_patches import Call, Place

THRESHOLD = 1
"""Half the side of the square of lowest frequencies, in pixels of the spectrum."""


@dataclass(frozen=True)
class Stage:
    """How a stage of the decoder is changed: its backbone features times b, the skip's low frequencies times s."""

    channels: int
    b: float
    s: float


@dataclass(frozen=True)
class FreeU:
    """Changes what output blocks join, in the stages with these channels.

    `adaptive` strengthens each pixel by how large its mean feature is within the picture, as the paper's second
    version does.
    """

    stages: tuple[Stage, ...]
    adaptive: bool

    def __call__(self, features: Tensor, skip: Tensor, place: Place, call: Call) -> tuple[Tensor, Tensor]:
        stage = next((stage for stage in self.stages if stage.channels == features.shape[1]), None)
        if stage is None:
            return features, skip
        half = features.shape[1] // 2
        strength = self._strength(features, stage.b)
        strengthened = torch.cat([features[:, :half] * strength, features[:, half:]], dim=1)
        return strengthened, with_low_frequencies_scaled(skip, stage.s)

    def _strength(self, features: Tensor, b: float) -> Tensor | float:
        """b, or (b 1 h w) between 1 and b; 1 where all pixels are alike, as a single one is."""
        if not self.adaptive:
            return b
        mean = features.mean(dim=1, keepdim=True)
        low, high = mean.amin(dim=(2, 3), keepdim=True), mean.amax(dim=(2, 3), keepdim=True)
        share = torch.where(high > low, (mean - low) / (high - low), torch.zeros_like(mean))
        return (b - 1) * share + 1


def with_low_frequencies_scaled(x: Tensor, scale: float, threshold: int = THRESHOLD) -> Tensor:
    """x (b c h w) whose frequencies in a square of 2·threshold around zero are scaled."""
    spectrum = torch.fft.fftshift(torch.fft.fftn(x.float(), dim=(-2, -1)), dim=(-2, -1))
    row, column = x.shape[-2] // 2, x.shape[-1] // 2
    spectrum[..., row - threshold : row + threshold, column - threshold : column + threshold] *= scale
    return torch.fft.ifftn(torch.fft.ifftshift(spectrum, dim=(-2, -1)), dim=(-2, -1)).real.to(x.dtype)
