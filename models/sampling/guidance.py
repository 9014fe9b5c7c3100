"""Guidance: what two or more conditionings say together about the clean latent."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.types import Cond, Conditioning

LONGEST_REPETITION = 4
"""How often a shorter prompt is repeated at most so that it shares a network call with a longer one."""

Evaluate = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(x: b c h w, sigma: scalar, context: b n width) → denoised, of x's shape."""


def guided(evaluate: Evaluate, positive: Conditioning, negative: Conditioning, cfg: float) -> Denoiser:
    """Classifier-free guidance, arXiv:2207.12598: away from the negative by cfg times its distance to the positive.

    At cfg 1 the negative has no say and is not evaluated.
    """
    for name, conditioning in (("positive", positive), ("negative", negative)):
        if not conditioning:
            raise ValueError(f"the {name} conditioning is empty: connect a text encoder to it")

    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        if math.isclose(cfg, 1.0, rel_tol=0.0, abs_tol=1e-9):
            return conditioned(evaluate, x, sigma, [positive])[0]
        toward, away = conditioned(evaluate, x, sigma, [positive, negative])
        return away + (toward - away) * cfg

    return denoise


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
