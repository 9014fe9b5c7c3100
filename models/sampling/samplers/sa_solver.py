"""SA-Solver (arXiv:2309.05019): Adams methods for a reverse SDE with as much noise as one likes at every sigma.

In λ = −log σ, with the estimate D and the noise of strength τ, the latent at the end of a step of size h is
e^(−(1+τ²)h) x + ∫ (1+τ²) e^(−(1+τ²)(λ'−λ)) D(λ) dλ + σ' √(1 − e^(−2τ²h)) noise. Predictor and corrector integrate the
polynomial through known estimates; the corrector also knows the one at the end of the step.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.sampling.noise import StepNoise
from models.sampling.samplers.common import State

QUADRATURE_POINTS = 24
"""Of Gauss and Legendre: exact for polynomials to rounding, whatever the damping of a step."""


class Known(NamedTuple):
    """An estimate and the λ it was made at."""

    time: float
    denoised: Tensor


@dataclass(frozen=True, eq=False)
class _Step:
    """A step under way, in which predictor and corrector add the same noise to what their weights give."""

    x: Tensor
    start: float
    end: float
    tau: float
    noise: Tensor | float
    simple: bool

    def reached(self, known: Sequence[Known]) -> Tensor:
        """The latent at the end, by the estimates known, latest first."""
        rate, times = 1 + self.tau**2, [one.time for one in known]
        weigh = _simple_weights if self.simple and len(known) == 2 else adams_weights
        weights = weigh(times, self.start, self.end, rate)
        integral = sum(weight * one.denoised for weight, one in zip(weights, known, strict=True))
        return math.exp(-rate * (self.end - self.start)) * self.x + integral + self.noise


def sa_solver(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    start: float = math.inf,
    end: float = 0.0,
    eta: float = 1.0,
    s_noise: float = 1.0,
    predictor_order: int = 3,
    corrector_order: int = 4,
    use_pece: bool = False,
    simple_order_2: bool = False,
) -> Iterator[State]:
    """Predicts each step and corrects it with the estimate at its end; noise of strength τ = eta from sigma `start`
    down to `end`.

    With use_pece the corrected latent is evaluated once more. A schedule that ends at zero is walked with lower
    orders at last.
    """
    steps, to_zero = len(sigmas) - 1, bool(sigmas[-1] == 0)
    known: deque[Known] = deque(maxlen=max(predictor_order, corrector_order))  # latest first
    predicted, under_way = x, None
    for index in range(steps):
        sigma, sigma_next = sigmas[index], sigmas[index + 1]
        denoised = denoise(predicted, sigma)
        time = -math.log(float(sigma))
        known.appendleft(Known(time, denoised))
        left = steps - index if to_zero else steps
        order = min(corrector_order, len(known), left) if under_way and (sigma_next > 0 or use_pece) else 0
        if under_way is None or order == 0:
            x = predicted
        else:
            x = under_way.reached(list(known)[:order])
            if use_pece:
                denoised = denoise(x, sigma)
                known[0] = Known(time, denoised)
        if sigma_next == 0:
            predicted = denoised
        else:
            tau = eta if start >= sigma_next >= end else 0.0
            h = -math.log(float(sigma_next)) - time
            fresh = 0.0
            if tau > 0 and s_noise > 0:
                deviation = math.sqrt(-math.expm1(-2 * tau**2 * h)) * s_noise
                fresh = noise(sigma, sigma_next) * sigma_next * deviation
            under_way = _Step(x, time, time + h, tau, fresh, simple_order_2)
            order = min(predictor_order, len(known), left - 1 if to_zero else left)
            predicted = under_way.reached(list(known)[:order])
        yield State(predicted, denoised)


def adams_weights(times: Sequence[float], start: float, end: float, rate: float) -> list[float]:
    """Weights of estimates at the times in ∫ rate · e^(−rate (end − λ)) D(λ) dλ from start to end.

    Weight j is the integral with the Lagrange polynomial that is one at times[j] and zero at the others.
    """
    points, shares = _quadrature()
    half = (end - start) / 2
    where = start + half * (points + 1)
    density = rate * half * shares * numpy.exp(-rate * (end - where))
    weights = []
    for own in times:
        basis = 1.0
        for other in times:
            if other != own:
                basis = basis * (where - other) / (own - other)
        weights.append(float((density * basis).sum()))
    return weights


@cache
def _quadrature() -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
    """Where in -1..1 an integrand is evaluated, and how each value counts."""
    return leggauss(QUADRATURE_POINTS)


def _simple_weights(times: Sequence[float], start: float, end: float, rate: float) -> list[float]:
    """Weights of two estimates whose slope counts as in Euler's method, a change of higher order.

    The paper's authors use them for few steps.
    """
    latest, before = times
    h = end - start
    total, slope = -math.expm1(-rate * h), rate * h**2 / 2 / (latest - before)
    return [total + slope, -slope] if latest == start else [slope, total - slope]
