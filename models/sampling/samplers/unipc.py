"""UniPC (arXiv:2302.04867): predicts each step from the past estimates and corrects it with the next one, for free.

Both add to the first-order exponential step a weighted sum of divided differences of the estimates. The weights solve
the order conditions of the paper's section 3, in z = log σ' − log σ.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy
import torch
from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.sampling.samplers.common import State
from models.sampling.samplers.dpmpp import exponential_step

HIGHEST_ORDER = 3
LAST_SIGMA = 0.001
"""Stands for zero, whose logarithm a step cannot reach."""

Past = tuple[Tensor, float]
"""An estimate and the log σ it was made at."""


@dataclass(frozen=True, eq=False)
class _Step:
    """A step under way: the first-order result and what its predictor and its corrector add to it."""

    base: Tensor
    latest: Tensor
    differences: tuple[Tensor, ...]
    predictor: tuple[float, ...]
    corrector: tuple[float, ...]

    def predicted(self) -> Tensor:
        return self.base + _weighted(self.predictor, self.differences)

    def corrected(self, denoised: Tensor) -> Tensor:
        """The result, knowing the estimate at the predicted end."""
        return self.base + _weighted(self.corrector, (*self.differences, denoised - self.latest))


def uni_pc(denoise: Denoiser, x: Tensor, sigmas: Tensor, variant: Literal["bh1", "bh2"] = "bh1") -> Iterator[State]:
    """UniPC of order three, lower in the first and last steps.

    A lone difference weighs half the step in log σ (bh1) or half the way to a constant estimate (bh2).
    """
    if sigmas[-1] == 0:
        sigmas = torch.cat([sigmas[:-1], sigmas.new_tensor([LAST_SIGMA])])
    steps = len(sigmas) - 1
    highest = max(1, min(HIGHEST_ORDER, steps - 1))
    past: deque[Past] = deque(maxlen=highest)  # latest first
    under_way: _Step | None = None
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        if under_way is not None:
            x = under_way.corrected(denoised)
        past.appendleft((denoised, float(sigma.log())))
        order = min(index + 1, highest, steps - index)
        under_way = _step(x, sigma, sigma_next, list(past)[:order], variant)
        x = under_way.predicted()
        yield State(x, denoised)


def _step(x: Tensor, sigma: Tensor, sigma_next: Tensor, past: Sequence[Past], variant: str) -> _Step:
    (latest, log_sigma), *older = past
    z = float(sigma_next.log()) - log_sigma
    ratios = [(log_sigma_then - log_sigma) / z for _, log_sigma_then in older]
    half = (-z if variant == "bh1" else -math.expm1(z)) / 2  # the paper's stand-in for a single predictor's weight
    return _Step(
        base=exponential_step(x, latest, sigma, sigma_next),
        latest=latest,
        differences=tuple((then - latest) / ratio for (then, _), ratio in zip(older, ratios, strict=True)),
        predictor=(half,) if len(ratios) == 1 else integrating_weights(ratios, z),
        corrector=integrating_weights([*ratios, 1.0], z) if ratios else (half,),
    )


def integrating_weights(ratios: Sequence[float], z: float) -> tuple[float, ...]:
    """Weights of differences at shares of a step by which a step of z in log σ is exact for polynomial estimates."""
    powers = [[ratio**power for ratio in ratios] for power in range(len(ratios))]
    moments, phi = [], math.expm1(z) / z
    for order in range(1, len(ratios) + 1):
        phi = (phi - 1 / math.factorial(order)) / z  # φ of order + 1
        moments.append(-z * phi * math.factorial(order))
    return tuple(numpy.linalg.solve(powers, moments).tolist()) if ratios else ()


def _weighted(weights: Sequence[float], differences: Sequence[Tensor]) -> Tensor | float:
    return sum((weight * difference for weight, difference in zip(weights, differences, strict=True)), 0.0)
