"""Guidance that is left off at high noise and limited in length, as Lumina-Image 2.0 samples; arXiv:2503.21758."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.sampling.patches import Round


@dataclass(frozen=True)
class RenormCFG:
    """Guides only below the sigma `truncation`, and to no more than `limit` times the length of the positive's
    estimate, a picture at a time; a limit of zero is none."""

    truncation: float
    limit: float

    def __call__(self, toward: Tensor, away: Tensor, of: Round) -> Tensor:
        if of.sigma >= self.truncation:
            return toward
        guided = away + (toward - away) * of.cfg
        if self.limit <= 0:
            return guided
        longest = _length(toward) * self.limit
        return guided * torch.clamp(longest / _length(guided), max=1.0)


def _length(x: Tensor) -> Tensor:
    """Of each picture (b 1 1 1)."""
    return torch.linalg.vector_norm(x, dim=(1, 2, 3), keepdim=True)
