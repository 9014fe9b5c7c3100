"""More samplers as k-diffusion and their papers publish them: those that walk along slopes, the adaptive
one, and ER-SDE.

Ours are written otherwise; both must walk the same path.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from scipy.integrate import quad
from torch import Tensor

Denoise = Callable[[Tensor, Tensor], Tensor]


def euler(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    for sigma, following in pairwise(sigmas):
        x = x + (following - sigma) * (x - denoise(x, sigma)) / sigma
    return x


def dpm_2(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    for sigma, following in pairwise(sigmas):
        first = (x - denoise(x, sigma)) / sigma
        if following == 0:
            return x - sigma * first
        middle = (sigma * following).sqrt()
        guess = x + (middle - sigma) * first
        x = x + (following - sigma) * (guess - denoise(guess, middle)) / middle
    return x


def lms(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    """Integrates Lagrange polynomials numerically."""
    points, slopes = sigmas.tolist(), []

    def weight(i: int, count: int, j: int) -> float:
        def basis(sigma: float) -> float:
            product = 1.0
            for k in range(count):
                if k != j:
                    product *= (sigma - points[i - k]) / (points[i - j] - points[i - k])
            return product

        return quad(basis, points[i], points[i + 1], epsrel=1e-10)[0]

    for i, sigma in enumerate(sigmas[:-1]):
        slopes = [(x - denoise(x, sigma)) / sigma, *slopes[:3]]
        x = x + sum(weight(i, len(slopes), j) * slope for j, slope in enumerate(slopes))
    return x


def dpm_adaptive(denoise: Denoise, x: Tensor, sigmas: Tensor) -> Tensor:
    """DPM-Solver-23 with rtol 0.05, atol 0.0078 and h 0.05 at first, whose steps change by the error's inverse."""

    def eps(x: Tensor, t: Tensor) -> Tensor:
        return (x - denoise(x, torch.exp(-t))) / torch.exp(-t)

    def toward(x: Tensor, t: Tensor, h: Tensor, noise: Tensor) -> Tensor:
        return x - torch.exp(-(t + h)) * torch.expm1(h) * noise

    t, end = -sigmas[0].log(), -sigmas[-2].log()
    size, low_before = 0.05, x
    while t < end - 1e-5:
        h = min(end - t, torch.tensor(size, dtype=x.dtype))
        start = eps(x, t)
        one = eps(toward(x, t, h / 3, start), t + h / 3) - start
        low = toward(x, t, h, start) - torch.exp(-(t + h)) * 1.5 * torch.expm1(h) * one
        part = h * 2 / 3
        second = toward(x, t, part, start) - torch.exp(-(t + part)) * 2 * (torch.expm1(part) / part - 1) * one
        two = eps(second, t + part) - start
        high = toward(x, t, h, start) - torch.exp(-(t + h)) * 1.5 * (torch.expm1(h) / h - 1) * two
        tolerance = torch.maximum(torch.tensor(0.0078), 0.05 * torch.maximum(low.abs(), low_before.abs()))
        error = float(((low - high) / tolerance).square().mean().sqrt())
        factor = 1 + float(torch.tensor((1 / (error + 1e-8)) ** (1 / 3) - 1, dtype=x.dtype).atan())
        if factor >= 0.81:
            x, t, low_before = high, t + h, low
        size *= factor
    return x


def er_sde(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """ER-SDE-Solver-3 with the fifth of the paper's noise scales, its integrals as sums over 200 points."""

    def phi(sigma: Tensor) -> Tensor:
        return sigma * (torch.exp(sigma**0.3) + 10)

    estimates, quotients = [], []
    for i, (s, t) in enumerate(pairwise(sigmas)):
        estimates.append(denoise(x, s))
        if t == 0:
            return estimates[-1]
        ratio = phi(t) / phi(s)
        x = ratio * x + (1 - ratio) * estimates[-1]
        grid = t + (s - t) * torch.arange(200, dtype=x.dtype) / 200
        if i >= 1:
            quotients.append((estimates[-1] - estimates[-2]) / (s - sigmas[i - 1]))
            x = x + (t - s + phi(t) * (1 / phi(grid)).mean() * (s - t)) * quotients[-1]
        if i >= 2:
            second = (quotients[-1] - quotients[-2]) * 2 / (s - sigmas[i - 2])
            x = x + ((t - s) ** 2 / 2 + phi(t) * ((grid - s) / phi(grid)).mean() * (s - t)) * second
        x = x + noise(s, t) * (t**2 - (s * ratio) ** 2).sqrt()
    return x
