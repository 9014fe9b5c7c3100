"""Pictures as prompts (unCLIP, arXiv:2204.06125): noisy CLIP embeddings in the vector a UNet is conditioned on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.conditioning import Cond, ImagePrompt, Occasion
from models.layers import sinusoidal_embedding

LEVELS = 1000
"""Levels of noise that an embedding can have."""

MERGED_NOISE = 0.05
"""Noise augmentation of several pictures' mixture, in Stable Diffusion 2.1 unCLIP."""

SEED_DISTANCE = -10
"""From the sampling's seed to that of the embeddings' noise."""


def cosine_alphas_bar() -> Tensor:
    """The share of signal left at each level, (1000,) float32: the cosine schedule of arXiv:2102.09672 Eq. 17."""

    def alpha_bar(way: float) -> float:
        return math.cos((way + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - alpha_bar((t + 1) / LEVELS) / alpha_bar(t / LEVELS), 0.999) for t in range(LEVELS)]
    return torch.cumprod(1 - torch.tensor(betas, dtype=torch.float64), dim=0).float()


@dataclass(frozen=True, eq=False)
class EmbeddingNoise:
    """Adds noise to CLIP embeddings, which are normalized for it by the `mean` and `std` (1, width) of the training."""

    mean: Tensor
    std: Tensor

    @classmethod
    def of_width(cls, width: int) -> "EmbeddingNoise":
        """For embeddings that are taken as they are."""
        return cls(torch.zeros(1, width), torch.ones(1, width))

    def noisy(self, embed: Tensor, augmentation: float, seed: int) -> Tensor:
        """An embedding (1, width) at a noise augmentation in 0..1, followed by the embedding of that level."""
        level = round((LEVELS - 1) * augmentation)
        alpha_bar = cosine_alphas_bar()[level]
        noise = torch.randn(embed.shape, generator=torch.Generator().manual_seed(seed))
        normalized = (embed - self.mean) / self.std
        mixed = alpha_bar.sqrt() * normalized + (1 - alpha_bar).sqrt() * noise
        told = sinusoidal_embedding(torch.tensor([level]), embed.shape[-1])
        return torch.cat([mixed * self.std + self.mean, told], dim=-1)

    def vector(self, images: Sequence[ImagePrompt], merged_noise: float, seed: int) -> Tensor:
        """The pictures' sum by their strengths, (1, 2 · width); a sum of several is made noisy once more.

        Raises ValueError for embeddings of another width.
        """
        width = self.mean.shape[-1]
        for image in images:
            if image.embeds.shape[-1] != width:
                raise ValueError(
                    f"the picture prompt is {image.embeds.shape[-1]} wide, the model takes {width}: encode it with the "
                    "CLIP vision model that belongs to the checkpoint"
                )
        seed = (seed + SEED_DISTANCE) % 2**64
        found = [
            image.strength * self.noisy(embed[None].float().cpu(), image.noise_augmentation, seed)
            for image in images
            for embed in image.embeds
        ]
        if len(found) == 1:
            return found[0]
        mixture = torch.stack(found).sum(dim=0)[:, :width]
        return self.noisy(mixture, merged_noise, seed)


@dataclass(frozen=True, eq=False)
class PictureVector:
    """The vector of Stable Diffusion 2.1 unCLIP: pictures, or zeros for a prompt without one."""

    noise: EmbeddingNoise

    def vector(self, cond: Cond, occasion: Occasion) -> Tensor:
        """The vector (1, 2 · width of a CLIP embedding), float32."""
        if not cond.images:
            return torch.zeros(1, 2 * self.noise.mean.shape[-1])
        return self.noise.vector(cond.images, MERGED_NOISE, occasion.seed)
