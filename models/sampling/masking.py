"""Noise masks: a denoiser that changes only part of a latent."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.batches import repeated_to
from models.sampling.denoiser import Estimates, GuidedDenoiser, Prediction


def mask_like(mask: Tensor, latent: Tensor) -> Tensor:
    """A mask of any size (n, …, h', w') resized to the latent's (b c h w) and repeated to its batch: (b 1 h w)."""
    mask = mask.reshape(-1, 1, *mask.shape[-2:]).to(latent)
    mask = F.interpolate(mask, size=latent.shape[-2:], mode="bilinear")
    return repeated_to(mask, len(latent))


@dataclass(frozen=True, eq=False)
class Masked:
    """Denoises where the mask is 1 and keeps the latent where it is 0, in between by shares.

    At every sigma the kept part is shown to the network with its share of the noise. The unguided estimate is not
    masked: no step ends on it.
    """

    denoise: GuidedDenoiser
    prediction: Prediction
    mask: Tensor
    """(b 1 h w) in 0..1."""
    latent: Tensor
    noise: Tensor
    changed: Callable[[Tensor, Tensor], Tensor] = lambda mask, sigma: mask
    """(mask, sigma) → the mask that counts at that sigma."""

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        mask = self.changed(self.mask, sigma)
        return self._kept(self.denoise(self._shown(x, sigma, mask), sigma), mask)

    def both(self, x: Tensor, sigma: Tensor) -> Estimates:
        mask = self.changed(self.mask, sigma)
        denoised, unguided = self.denoise.both(self._shown(x, sigma, mask), sigma)
        return Estimates(self._kept(denoised, mask), unguided)

    def _shown(self, x: Tensor, sigma: Tensor, mask: Tensor) -> Tensor:
        surroundings = self.prediction.noised(self.latent, self.noise, sigma, from_pure_noise=False)
        return x * mask + surroundings * (1 - mask)

    def _kept(self, denoised: Tensor, mask: Tensor) -> Tensor:
        return denoised * mask + self.latent * (1 - mask)


def noise_of_kept_part(latent: Tensor, seed: int) -> Tensor:
    """Noise for the kept part that differs from the initial noise of the same seed; on the CPU, float32."""
    generator = torch.Generator().manual_seed((seed + 1) % 2**64)
    return torch.randn(latent.shape, generator=generator)
