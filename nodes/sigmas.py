"""Nodes that cut, turn and change sigmas."""

import math
import re
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import torch

from nodes.sockets import MODEL, SIGMAS
from nodes.spec import Number, node

CATEGORY = "model/sampling/sigmas"
NEARLY_ZERO = 1e-4
"""Stands for a first sigma of zero, from which no sampler can step."""


class SplitParts(NamedTuple):
    """The noisier and the less noisy part; the sigma at the cut is in both."""

    high_sigmas: SIGMAS
    low_sigmas: SIGMAS


@node("SplitSigmas", category=CATEGORY, outputs=SplitParts._fields)
def split_sigmas(sigmas: SIGMAS, step: Annotated[int, Number(0, 10000)] = 0) -> SplitParts:
    """Cuts sigmas at a step."""
    return SplitParts(sigmas[: step + 1], sigmas[step:])


@node("SplitSigmasDenoise", category=CATEGORY, outputs=SplitParts._fields)
def split_sigmas_denoise(sigmas: SIGMAS, denoise: Annotated[float, Number(0.0, 1.0, step=0.01)] = 1.0) -> SplitParts:
    """Cuts sigmas so that the low part holds a share of the steps."""
    steps = max(len(sigmas) - 1, 0)
    return split_sigmas(sigmas, steps - round(steps * denoise))


@node("FlipSigmas", category=CATEGORY)
def flip_sigmas(sigmas: SIGMAS) -> SIGMAS:
    """Turns sigmas round, to find the noise of a picture; a first sigma of zero becomes 0.0001."""
    flipped = sigmas.flip(0)
    if len(flipped) > 0 and flipped[0] == 0:
        flipped[0] = NEARLY_ZERO
    return flipped


@node("SetFirstSigma", category=CATEGORY)
def set_first_sigma(sigmas: SIGMAS, sigma: Annotated[float, Number(0.0, 20000.0, step=0.001)] = 136.0) -> SIGMAS:
    """Replaces the first sigma."""
    changed = sigmas.clone()
    changed[:1] = sigma
    return changed


@node("ExtendIntermediateSigmas", category=CATEGORY)
def extend_intermediate_sigmas(
    *,
    sigmas: SIGMAS,
    steps: Annotated[int, Number(1, 100)] = 2,
    start_at_sigma: Annotated[float, Number(-1.0, 20000.0, step=0.01)] = -1.0,
    end_at_sigma: Annotated[float, Number(0.0, 20000.0, step=0.01)] = 12.0,
    spacing: Literal["linear", "cosine", "sine"],
) -> SIGMAS:
    """Divides each step that begins between the two sigmas into several; a start of -1 is above all sigmas."""
    highest = start_at_sigma if start_at_sigma >= 0 else math.inf
    shares = torch.linspace(0, 1, steps + 1)[1:-1]
    if spacing == "cosine":
        shares = (shares * math.pi / 2).sin()
    elif spacing == "sine":
        shares = 1 - (shares * math.pi / 2).cos()
    parts = [sigmas[:0]]
    for sigma, sigma_next in pairwise(sigmas):
        between = sigma + shares * (sigma_next - sigma) if end_at_sigma <= sigma <= highest else shares[:0]
        parts += [sigma.reshape(1), between]
    return torch.cat([*parts, sigmas[-1:]])


@node("ManualSigmas", category=CATEGORY, experimental=True)
def manual_sigmas(sigmas: str = "1, 0.5") -> SIGMAS:
    """Sigmas as they are typed in, apart by commas or spaces."""
    words = [word for word in re.split(r"[\s,;]+", sigmas) if word]
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise ValueError(
            f"sigmas is {sigmas!r}: write numbers with commas between them, such as 14.6, 5, 1, 0"
        ) from error
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"sigmas is {sigmas!r}: every number must be finite")
    return torch.tensor(numbers, dtype=torch.float32)


@node("SamplingPercentToSigma", category=CATEGORY, outputs=("sigma_value",))
def sampling_percent_to_sigma(
    model: MODEL,
    sampling_percent: Annotated[float, Number(0.0, 1.0, step=0.0001)] = 0.0,
    return_actual_sigma: bool = False,
) -> float:
    """The sigma at a share of the way from noise to picture; at both ends a bound beyond all, or the model's own."""
    levels = model.sampling.levels
    if return_actual_sigma and sampling_percent == 0:
        return levels.sigma_max
    if return_actual_sigma and sampling_percent == 1:
        return levels.sigma_min
    return levels.sigma_at_percent(sampling_percent)
