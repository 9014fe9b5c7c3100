"""Corrections of how much noise a model predicts: against exposure bias, and toward other distributions."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.sampling.patches import Estimated, Round


@dataclass(frozen=True)
class EpsilonScaling:
    """Divides the predicted noise by a factor; arXiv:2308.15321, section 4."""

    factor: float

    def __call__(self, guided: Tensor, estimated: Estimated, of: Round) -> Tensor:
        return of.x - (of.x - guided) / self.factor


@dataclass(frozen=True)
class TemporalScoreRescaling:
    """Scales the score as if the data's variance, `spread` squared, were divided by `k`; arXiv:2510.01184."""

    k: float
    spread: float
    flow: bool = False

    def __call__(self, guided: Tensor, estimated: Estimated, of: Round) -> Tensor:
        signal = 1 - of.sigma if self.flow else torch.ones_like(of.sigma)
        if self.k == 1 or signal <= 0:
            return guided
        snr = (signal / of.sigma) ** 2 * self.spread**2
        scale = (snr + 1) / (snr / self.k + 1)
        return torch.lerp(of.x / signal, guided, scale.to(guided))
