"""Guidance that keeps the length of the positive's prediction, a pixel's channels at a time."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.sampling.patches import Estimated, Round


@dataclass(frozen=True)
class EstimateNorm:
    """Shortens the guided estimate to the length of the positive's where it is longer, then scales it by `strength`.

    As HiDream-E1 samples (github.com/HiDream-ai/HiDream-E1).
    """

    strength: float

    def __call__(self, guided: Tensor, estimated: Estimated, of: Round) -> Tensor:
        share = _length(estimated.toward) / (_length(guided) + 1e-8)
        return guided * share.clamp(max=1.0) * self.strength


@dataclass(frozen=True)
class NoiseNorm:
    """Gives the guided noise the length of the positive's, in a share of `strength`.

    As Qwen-Image samples, arXiv:2508.02324; the noise is x less the estimate.
    """

    strength: float

    def __call__(self, toward: Tensor, away: Tensor, of: Round) -> Tensor:
        guided = of.x - (away + (toward - away) * of.cfg)
        length = _length(guided)
        share = torch.where(length > 0, _length(of.x - toward) / length.clamp(min=1e-12), torch.ones_like(length))
        return of.x - torch.lerp(guided, guided * share, self.strength)


def _length(x: Tensor) -> Tensor:
    """Over the channels of each pixel (b 1 h w)."""
    return torch.linalg.vector_norm(x, dim=1, keepdim=True)
