"""Guidance: what two or more conditionings say together about the clean latent."""

import math
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from models.conditioning import Conditioning
from models.sampling.denoiser import Estimates
from models.sampling.patches import Ask, Estimated, Round
from models.types import Model


class Guidance(Protocol):
    """Conditionings and how their estimates are combined; a value, without a network."""

    def denoised(self, ask: Ask, x: Tensor, sigma: Tensor) -> Tensor:
        """The guided estimate of the clean latent, of x's shape (b c h w)."""
        ...

    def both(self, ask: Ask, x: Tensor, sigma: Tensor) -> Estimates:
        """The guided estimate and that of the negative alone."""
        ...


@dataclass(frozen=True)
class Guided:
    """A model asked under a guidance: a denoiser for samplers."""

    ask: Ask
    guidance: Guidance

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.guidance.denoised(self.ask, x, sigma)

    def both(self, x: Tensor, sigma: Tensor) -> Estimates:
        return self.guidance.both(self.ask, x, sigma)


@dataclass(frozen=True)
class Guider:
    """A model and the guidance that it is asked under."""

    model: Model
    guidance: Guidance


@dataclass(frozen=True)
class Unguided:
    """What one conditioning says, as it is."""

    conditioning: Conditioning

    def __post_init__(self) -> None:
        _check("", self.conditioning)

    def denoised(self, ask: Ask, x: Tensor, sigma: Tensor) -> Tensor:
        return _toward_alone(Round(ask, x, sigma, self.conditioning, None, 1.0))

    def both(self, ask: Ask, x: Tensor, sigma: Tensor) -> Estimates:
        raise ValueError(
            "a CFG++ sampler steps away from the estimate of a negative prompt, and this guider has none: "
            "use a guider with a negative (CFGGuider) or another sampler"
        )


@dataclass(frozen=True)
class ClassifierFree:
    """Classifier-free guidance, arXiv:2207.12598: away from the negative by cfg times its distance to the positive.

    At cfg 1 the negative has no say and is not evaluated, unless it is asked for.
    """

    positive: Conditioning
    negative: Conditioning
    cfg: float

    def __post_init__(self) -> None:
        _check("positive ", self.positive)
        _check("negative ", self.negative)

    def denoised(self, ask: Ask, x: Tensor, sigma: Tensor) -> Tensor:
        if is_one(self.cfg) and not ask.patches.guidance.need_negative:
            return _toward_alone(Round(ask, x, sigma, self.positive, self.negative, self.cfg))
        return self.both(ask, x, sigma).denoised

    def both(self, ask: Ask, x: Tensor, sigma: Tensor) -> Estimates:
        toward, away = ask(x, sigma, [self.positive, self.negative])
        return combined(Estimated(toward, away), Round(ask, x, sigma, self.positive, self.negative, self.cfg))


@dataclass(frozen=True)
class DualClassifierFree:
    """Guidance toward a first conditioning, from there back to a second and on to the negative.

    Side by side it is InstructPix2Pix, arXiv:2211.09800, equation 3: each scale multiplies its own distance. Nested,
    the second scale also multiplies what the first has found.
    """

    first: Conditioning
    second: Conditioning
    negative: Conditioning
    first_cfg: float
    """Scale of the distance from the second to the first."""
    second_cfg: float
    """Scale of the distance from the negative to the second."""
    nested: bool = False

    def __post_init__(self) -> None:
        _check("first ", self.first)
        _check("second ", self.second)
        _check("negative ", self.negative)

    def denoised(self, ask: Ask, x: Tensor, sigma: Tensor) -> Tensor:
        if self.nested or not is_one(self.second_cfg):
            return self.both(ask, x, sigma).denoised
        return ClassifierFree(self.first, self.second, self.first_cfg).denoised(ask, x, sigma)

    def both(self, ask: Ask, x: Tensor, sigma: Tensor) -> Estimates:
        first, second, negative = ask(x, sigma, [self.first, self.second, self.negative])
        if self.nested:
            inner = Round(ask, x, sigma, self.first, self.second, self.first_cfg)
            outer = Round(ask, x, sigma, self.first, self.negative, self.second_cfg)
            return combined(Estimated(combined(Estimated(first, second), inner).denoised, negative), outer)
        below = Round(ask, x, sigma, self.second, self.negative, self.second_cfg)
        toward_second = combined(Estimated(second, negative), below)
        return Estimates(toward_second.denoised + (first - second) * self.first_cfg, toward_second.unguided)


def combined(estimated: Estimated, of: Round) -> Estimates:
    """Both estimates combined by classifier-free guidance, with what the model's patches change about it."""
    patches = of.ask.patches.guidance
    for change in patches.before:
        estimated = change(estimated, of)
    toward, away = estimated.toward, estimated.away
    assert away is not None
    guided = patches.formula(toward, away, of) if patches.formula else away + (toward - away) * of.cfg
    for change in patches.after:
        guided = change(guided, estimated, of)
    return Estimates(guided, away)


def _toward_alone(of: Round) -> Tensor:
    """The estimate of the positive, with what the model's patches change about it."""
    patches = of.ask.patches.guidance
    estimated = Estimated(of.ask(of.x, of.sigma, [of.positive])[0], None)
    for change in patches.before:
        estimated = change(estimated, of)
    guided = estimated.toward
    for change in patches.after:
        guided = change(guided, estimated, of)
    return guided


def is_one(cfg: float) -> bool:
    """Whether a scale leaves an estimate as it is, up to rounding."""
    return math.isclose(cfg, 1.0, rel_tol=0.0, abs_tol=1e-9)


def _check(name: str, conditioning: Conditioning) -> None:
    if not conditioning:
        raise ValueError(f"the {name}conditioning is empty: connect a text encoder to it")
