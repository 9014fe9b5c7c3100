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


IPNDM_WEIGHTS = ((1.0,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))
"""Adams-Bashforth weights of even steps by the number of slopes, latest first."""


def ipndm(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """Improved PNDM, arXiv:2204.13902, appendix H.2: Adams-Bashforth of order four as if all steps were even, from
    lower orders at the start. The step to zero takes the last slope alone."""
    slopes: deque[Tensor] = deque(maxlen=len(IPNDM_WEIGHTS))
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        slopes.appendleft(slope(x, denoised, sigma))
        weights = IPNDM_WEIGHTS[0 if sigma_next == 0 else len(slopes) - 1]
        mean = sum(weight * past for weight, past in zip(weights, slopes, strict=False))
        x = x + mean * (sigma_next - sigma)
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
