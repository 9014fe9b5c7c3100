"""What UNets with more input channels see beside the noisy latent."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.batches import repeated_to
from models.conditioning import Cond, Occasion
from models.resize import resize_latent
from models.types import LatentFormat

GRAY = (0.8223, -0.6876, 0.6364, 0.1380)
"""The latent of a gray picture in model scale: what an inpainting UNet sees where it is to paint everything."""


@dataclass(frozen=True)
class InpaintChannels:
    """For inpainting UNets: where to paint (1 channel, 0 or 1), and the latent of the picture with that part gray."""

    latent_format: LatentFormat

    def channels(self, cond: Cond, occasion: Occasion) -> Tensor:
        """The channels (b, 5, h, w). A prompt without a picture takes the latent and mask that are sampled."""
        start = occasion.start
        mask, latent = occasion.mask, start
        if cond.concat is not None:
            mask = mask if cond.concat.mask is None else cond.concat.mask
            latent = _fitted(self.latent_format.scaled(cond.concat.latent.to(start)), start)
        if mask is None:
            gray = start.new_tensor(GRAY)[:, None, None].expand_as(start)
            return torch.cat([torch.ones_like(start[:, :1]), gray], dim=1)
        return torch.cat([_fitted(mask[:, :1].to(start), start).round(), latent], dim=1)


@dataclass(frozen=True)
class EditChannels:
    """For UNets that edit a picture as told (arXiv:2211.09800): its latent, or zeros for a prompt without one.

    `latent_format` is given where the network was trained on scaled latents of the picture.
    """

    latent_format: LatentFormat | None = None

    def channels(self, cond: Cond, occasion: Occasion) -> Tensor:
        """The channels (b, 4, h, w)."""
        start = occasion.start
        if cond.concat is None:
            return torch.zeros_like(start)
        latent = _fitted(cond.concat.latent.to(start), start)
        return latent if self.latent_format is None else self.latent_format.scaled(latent)


def _fitted(x: Tensor, like: Tensor) -> Tensor:
    """x (b c h w) in the size and number of another batch of latents."""
    height, width = like.shape[2:]
    if x.shape[2:] != (height, width):
        x = resize_latent(x, width, height, "bilinear", center=True)
    return repeated_to(x, len(like))
