"""DEIS (arXiv:2204.13902): integrates a polynomial through the last slopes, in the time of a VP diffusion.

The polynomial is in the time t of σ² = exp(½ (β₁ − β₀) t² + β₀ t) − 1, whose β are such that t from 0.001 to 1 covers
σ from 0.002 to 80, the range of Karras et al., arXiv:2206.00364.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.sampling.samplers.common import State, slope

FIRST_TIME, SIGMA_MIN, SIGMA_MAX = 1e-3, 0.002, 80.0
BETA_D = 2 * (math.log(SIGMA_MIN**2 + 1) / FIRST_TIME - math.log(SIGMA_MAX**2 + 1)) / (FIRST_TIME - 1)
"""β₁ − β₀."""
BETA_0 = math.log(SIGMA_MAX**2 + 1) - BETA_D / 2
QUADRATURE_POINTS = 10_000


def deis(denoise: Denoiser, x: Tensor, sigmas: Tensor, order: int = 3) -> Iterator[State]:
    """tAB-DEIS, equation 15, through as many slopes as its order; the step to zero takes the last alone."""
    slopes: deque[Tensor] = deque(maxlen=order)
    visited: deque[float] = deque(maxlen=order)
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        slopes.appendleft(slope(x, denoised, sigma))
        visited.appendleft(time_of(float(sigma)))
        if len(slopes) == 1 or sigma_next == 0:
            x = x + slopes[0] * (sigma_next - sigma)
        else:
            weights = polynomial_weights(visited, time_of(float(sigma_next)))
            x = x + sum(weight * past for weight, past in zip(weights, slopes, strict=True))
        yield State(x, denoised)


def time_of(sigma: float) -> float:
    """The time at which the diffusion has this sigma."""
    return ((BETA_0**2 + 2 * BETA_D * math.log(sigma**2 + 1)) ** 0.5 - BETA_0) / BETA_D


def polynomial_weights(visited: Sequence[float], end: float) -> list[float]:
    """Weights of the slopes at the visited times, latest first, in ∫ slope dσ from the latest to the end.

    The integral has no closed form: it is the mean over many evenly spaced times.
    """
    times = torch.linspace(visited[0], end, QUADRATURE_POINTS, dtype=torch.float64)
    exponent = BETA_D * times**2 / 2 + BETA_0 * times
    speed = exponent.exp() * (BETA_D * times + BETA_0) / (2 * exponent.expm1().sqrt())  # dσ/dt
    weights = []
    for own in visited:
        basis = torch.ones_like(times)
        for other in visited:
            if other != own:
                basis = basis * (times - other) / (own - other)
        weights.append(float((speed * basis).mean()) * (end - visited[0]))
    return weights
