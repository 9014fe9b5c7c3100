"""Samplers that remember the slopes of earlier steps."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

from numpy.polynomial import Polynomial
from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.sampling.samplers.common import State, slope


def lms(denoise: Denoiser, x: Tensor, sigmas: Tensor, order: int = 4) -> Iterator[State]:
    """Linear multistep (Adams-Bashforth with variable steps): integrates the polynomial through the last slopes."""
    slopes: deque[Tensor] = deque(maxlen=order)
    visited: deque[float] = deque(maxlen=order)
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        slopes.appendleft(slope(x, denoised, sigma))
        visited.appendleft(float(sigma))
        weights = adams_bashforth_weights(visited, float(sigma_next))
        x = x + sum(weight * past for weight, past in zip(weights, slopes, strict=True))
        yield State(x, denoised)


def gradient_estimation(denoise: Denoiser, x: Tensor, sigmas: Tensor, gamma: float = 2.0) -> Iterator[State]:
    """Goes beyond the slope by its change since the last step; arXiv:2306.04848, algorithm 2."""
    slope_last: Tensor | None = None
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        own = slope(x, denoised, sigma)
        direction = own
        if slope_last is not None and sigma_next > 0:
            direction = gamma * own + (1 - gamma) * slope_last
        x = x + direction * (sigma_next - sigma)
        slope_last = own
        yield State(x, denoised)


def adams_bashforth_weights(visited: Sequence[float], end: float) -> list[float]:
    """Weights of the slopes at the visited sigmas, latest first, in the integral from the latest to the end.

    Weight j is the integral of the Lagrange polynomial that is one at visited[j] and zero at the others.
    """
    origin = visited[0]  # integrating from zero keeps the digits
    points = [point - origin for point in visited]
    weights = []
    for own in points:
        basis = Polynomial([1.0])
        for other in points:
            if other != own:
                basis = basis * Polynomial([-other, 1.0]) / (own - other)
        weights.append(float(basis.integ()(end - origin)))
    return weights
