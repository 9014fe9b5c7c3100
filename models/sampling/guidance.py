"""Guidance: what two or more conditionings say together about the clean latent."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from models.sampling.denoiser import Estimates
from models.types import Cond, Conditioning, Model

LONGEST_REPETITION = 4
"""How often a shorter prompt is repeated at most so that it shares a network call with a longer one."""

Evaluate = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(x: b c h w, sigma: scalar, context: b n width) → denoised, of x's shape."""


class Guidance(Protocol):
    """Conditionings and how their estimates are combined; a value, without a network."""

    def denoised(self, evaluate: Evaluate, x: Tensor, sigma: Tensor) -> Tensor:
        """The guided estimate of the clean latent, of x's shape (b c h w)."""
        ...

    def both(self, evaluate: Evaluate, x: Tensor, sigma: Tensor) -> Estimates:
        """The guided estimate and that of the negative alone."""
        ...


@dataclass(frozen=True)
class Guided:
    """A network's evaluation under a guidance: a denoiser for samplers."""

    evaluate: Evaluate
    guidance: Guidance

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.guidance.denoised(self.evaluate, x, sigma)

    def both(self, x: Tensor, sigma: Tensor) -> Estimates:
        return self.guidance.both(self.evaluate, x, sigma)


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

    def denoised(self, evaluate: Evaluate, x: Tensor, sigma: Tensor) -> Tensor:
        return conditioned(evaluate, x, sigma, [self.conditioning])[0]

    def both(self, evaluate: Evaluate, x: Tensor, sigma: Tensor) -> Estimates:
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

    def denoised(self, evaluate: Evaluate, x: Tensor, sigma: Tensor) -> Tensor:
        if is_one(self.cfg):
            return conditioned(evaluate, x, sigma, [self.positive])[0]
        return self.both(evaluate, x, sigma).denoised

    def both(self, evaluate: Evaluate, x: Tensor, sigma: Tensor) -> Estimates:
        toward, away = conditioned(evaluate, x, sigma, [self.positive, self.negative])
        return Estimates(away + (toward - away) * self.cfg, away)


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

    def denoised(self, evaluate: Evaluate, x: Tensor, sigma: Tensor) -> Tensor:
        if self.nested or not is_one(self.second_cfg):
            return self.both(evaluate, x, sigma).denoised
        return ClassifierFree(self.first, self.second, self.first_cfg).denoised(evaluate, x, sigma)

    def both(self, evaluate: Evaluate, x: Tensor, sigma: Tensor) -> Estimates:
        first, second, negative = conditioned(evaluate, x, sigma, [self.first, self.second, self.negative])
        if self.nested:
            found = second + (first - second) * self.first_cfg
            return Estimates(negative + (found - negative) * self.second_cfg, negative)
        toward_second = negative + (second - negative) * self.second_cfg
        return Estimates(toward_second + (first - second) * self.first_cfg, negative)


def is_one(cfg: float) -> bool:
    """Whether a scale leaves an estimate as it is, up to rounding."""
    return math.isclose(cfg, 1.0, rel_tol=0.0, abs_tol=1e-9)


def _check(name: str, conditioning: Conditioning) -> None:
    if not conditioning:
        raise ValueError(f"the {name}conditioning is empty: connect a text encoder to it")


@dataclass(frozen=True, eq=False)
class Entry:
    """One prompt to evaluate and the place of the conditioning that it belongs to."""

    place: int
    cond: Cond


def conditioned(evaluate: Evaluate, x: Tensor, sigma: Tensor, conditionings: Sequence[Conditioning]) -> list[Tensor]:
    """The estimate under each conditioning: the mean over its entries. Entries share network calls where they can."""
    entries = [Entry(place, cond) for place, conds in enumerate(conditionings) for cond in conds]
    totals = [torch.zeros_like(x) for _ in conditionings]
    for group in groups(entries):
        context = torch.cat([context.expand(len(x), -1, -1) for context in contexts_of_equal_length(group)])
        estimates = evaluate(x.repeat(len(group), 1, 1, 1), sigma, context).chunk(len(group))
        for entry, estimate in zip(group, estimates, strict=True):
            totals[entry.place] += estimate
    return [total / len(conds) for total, conds in zip(totals, conditionings, strict=True)]


def groups(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Splits entries into those that fit one network call, in the order of their first."""
    found: list[list[Entry]] = []
    for entry in entries:
        fitting = next((group for group in found if _fit([*group, entry])), None)
        if fitting is None:
            found.append([entry])
        else:
            fitting.append(entry)
    return found


def _fit(group: Sequence[Entry]) -> bool:
    lengths = [entry.cond.context.shape[1] for entry in group]
    same_width = len({entry.cond.context.shape[2] for entry in group}) == 1
    return same_width and math.lcm(*lengths) <= LONGEST_REPETITION * min(lengths)


def contexts_of_equal_length(group: Sequence[Entry]) -> list[Tensor]:
    """The contexts, shorter ones repeated. Attention over repeated tokens gives the same as over one copy."""
    length = math.lcm(*(entry.cond.context.shape[1] for entry in group))
    return [entry.cond.context.repeat(1, length // entry.cond.context.shape[1], 1) for entry in group]
