"""Perp-Neg: guidance away from the part of the negative prompt that the positive does not share; arXiv:2304.04968."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.conditioning import Conditioning
from models.sampling.denoiser import Estimates
from models.sampling.patches import Ask, Estimated, Round


@dataclass(frozen=True)
class PerpNegGuidance:
    """From what the empty prompt says, cfg times toward the positive and away from the negative's own part."""

    positive: Conditioning
    negative: Conditioning
    empty: Conditioning
    cfg: float
    strength: float
    """Of the negative."""

    def __post_init__(self) -> None:
        for name, conditioning in (("positive", self.positive), ("negative", self.negative), ("empty", self.empty)):
            if not conditioning:
                raise ValueError(f"the {name} conditioning is empty: connect a text encoder to it")

    def denoised(self, ask: Ask, x: Tensor, sigma: Tensor) -> Tensor:
        return self.both(ask, x, sigma).denoised

    def both(self, ask: Ask, x: Tensor, sigma: Tensor) -> Estimates:
        toward, empty, away = ask(x, sigma, [self.positive, self.empty, self.negative])
        guided = empty + perpendicular(toward - empty, away - empty, self.strength) * self.cfg
        of = Round(ask, x, sigma, self.positive, self.negative, self.cfg)
        for change in ask.patches.guidance.after:
            guided = change(guided, Estimated(toward, away), of)
        return Estimates(guided, away)


@dataclass(frozen=True)
class PerpNegFormula:
    """Perp-Neg in place of the usual formula, for a model's guidance."""

    empty: Conditioning
    strength: float

    def __call__(self, toward: Tensor, away: Tensor, of: Round) -> Tensor:
        (empty,) = of.ask(of.x, of.sigma, [self.empty])
        return empty + perpendicular(toward - empty, away - empty, self.strength) * of.cfg


def perpendicular(positive: Tensor, negative: Tensor, strength: float) -> Tensor:
    """The positive less so much of the part of the negative that is perpendicular to it, over all pictures at once."""
    shared = (negative * positive).sum() / torch.linalg.vector_norm(positive) ** 2
    return positive - (negative - shared * positive) * strength
