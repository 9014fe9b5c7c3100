"""Schedules: which sigmas a sampler visits. Each takes noise levels and a number of steps and ends in zero."""

import math
from collections.abc import Callable
from itertools import groupby

import numpy
import torch
from scipy.special import betaincinv
from torch import Tensor

from models.sampling.levels import NoiseLevels

Schedule = Callable[[NoiseLevels, int], Tensor]


def _then_zero(sigmas: Tensor) -> Tensor:
    return torch.cat([sigmas, sigmas.new_zeros(1)])


def simple(levels: NoiseLevels, steps: int) -> Tensor:
    """Every (n / steps)-th sigma of training, counted from the noisiest."""
    count = len(levels.sigmas)
    stride = count / steps  # multiplied only now: the rounding of this quotient decides some indices
    indices = torch.tensor([count - 1 - int(step * stride) for step in range(steps)])
    return _then_zero(levels.sigmas[indices])


def normal(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced timesteps from the noisiest to the least noisy, both visited."""
    first, last = _timestep_range(levels)
    if float(levels.sigma(torch.tensor(last))) < 1e-5:
        return levels.sigma(torch.linspace(first, last, steps + 1))
    return _then_zero(levels.sigma(torch.linspace(first, last, steps)))


def sgm_uniform(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced timesteps of which the least noisy is not visited, as in Stability's generative-models."""
    first, last = _timestep_range(levels)
    return _then_zero(levels.sigma(torch.linspace(first, last, steps + 1)[:-1]))


def _timestep_range(levels: NoiseLevels) -> tuple[float, float]:
    first, last = levels.timestep(torch.tensor([levels.sigma_max, levels.sigma_min])).tolist()
    return float(first), float(last)


def ddim_uniform(levels: NoiseLevels, steps: int) -> Tensor:
    """Every k-th sigma of training upward from the second, k = ⌊n / steps⌋, as DDIM picks them (arXiv:2010.02502).

    Where k does not divide n evenly there are more sigmas, and so more steps, than asked for.
    """
    stride = max(len(levels.sigmas) // steps, 1)
    return _then_zero(levels.sigmas[1::stride].flip(0))


def karras(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced in σ^(1/7); Karras et al., arXiv:2206.00364, equation 5 with ρ = 7."""
    return karras_between(levels.sigma_min, levels.sigma_max, steps)


def karras_between(sigma_min: float, sigma_max: float, steps: int, rho: float = 7.0) -> Tensor:
    """Evenly spaced in σ^(1/ρ); arXiv:2206.00364, equation 5."""
    ramp = torch.linspace(0, 1, steps)
    start, end = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return _then_zero((start + ramp * (end - start)) ** rho)


def exponential(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced in log σ."""
    return exponential_between(levels.sigma_min, levels.sigma_max, steps)


def exponential_between(sigma_min: float, sigma_max: float, steps: int) -> Tensor:
    """Evenly spaced in log σ between the two."""
    return _then_zero(torch.linspace(math.log(sigma_max), math.log(sigma_min), steps).exp())


def polyexponential_between(sigma_min: float, sigma_max: float, steps: int, rho: float = 1.0) -> Tensor:
    """log σ falls as a power ρ of the way that is left; even in log σ where ρ is 1."""
    left = torch.linspace(1, 0, steps) ** rho
    return _then_zero((math.log(sigma_min) + left * (math.log(sigma_max) - math.log(sigma_min))).exp())


def laplace_between(sigma_min: float, sigma_max: float, steps: int, mu: float = 0.0, beta: float = 0.5) -> Tensor:
    """Quantiles of log σ under Laplace's distribution, arXiv:2407.03297, kept between the two; without a zero."""
    way = torch.linspace(0, 1, steps)
    tails = (1 - 2 * (0.5 - way).abs() + 1e-5).log()  # the constant keeps the ends finite
    return (mu - beta * (0.5 - way).sign() * tails).exp().clamp(sigma_min, sigma_max)


def variance_preserving(steps: int, beta_d: float = 19.9, beta_min: float = 0.1, eps_s: float = 1e-3) -> Tensor:
    """Even in the time of the VP diffusion of arXiv:2011.13456, from 1 to eps_s."""
    time = torch.linspace(1, eps_s, steps)
    growth = (beta_d * time**2 / 2 + beta_min * time).exp()
    return _then_zero((growth - 1).sqrt())  # as k-diffusion rounds it; expm1 would move the last sigma by a digit


TURBO_TIMESTEPS = tuple(range(999, 0, -100))
"""The timesteps that SD-Turbo was distilled for (arXiv:2311.17042): 999, 899, …, 99."""


def turbo(levels: NoiseLevels, steps: int, denoise: float = 1.0) -> Tensor:
    """The first steps of the part of the turbo timesteps that denoise leaves, in tenths."""
    start = len(TURBO_TIMESTEPS) - int(len(TURBO_TIMESTEPS) * denoise)
    return _then_zero(levels.sigma(torch.tensor(TURBO_TIMESTEPS[start : start + steps], dtype=torch.float32)))


def beta(levels: NoiseLevels, steps: int) -> Tensor:
    """Timesteps at the quantiles of Beta(0.6, 0.6), dense at both ends; arXiv:2407.12173."""
    return beta_quantiles(levels, steps)


def beta_quantiles(levels: NoiseLevels, steps: int, alpha: float = 0.6, beta: float = 0.6) -> Tensor:
    """Timesteps at the quantiles of Beta(alpha, beta). Quantiles that round to the same timestep are one step."""
    quantiles = 1 - numpy.linspace(0, 1, steps, endpoint=False)
    timesteps = numpy.rint(betaincinv(alpha, beta, quantiles) * (len(levels.sigmas) - 1))
    distinct = [int(timestep) for timestep, _ in groupby(timesteps)]
    return _then_zero(levels.sigmas[torch.tensor(distinct)])


def linear_quadratic(levels: NoiseLevels, steps: int) -> Tensor:
    """Half the steps linear through the first 2.5 % of the way, the rest quadratic with the same slope where they
    meet; Meta's Movie Gen, arXiv:2410.13720, section 3.4."""
    threshold, linear_steps = 0.025, steps // 2
    if linear_steps == 0:
        return torch.tensor([levels.sigma_max, 0.0])
    slope, quadratic_steps = threshold / linear_steps, steps - linear_steps
    curvature = (1 - threshold - slope * quadratic_steps) / quadratic_steps**2
    index = torch.arange(steps + 1, dtype=torch.float64)
    beyond = (index - linear_steps).clamp(min=0)
    way = index * slope + curvature * beyond**2
    return _then_zero((1 - way[:-1]).float() * levels.sigma_max)


def kl_optimal(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced in arctan σ, which minimizes the KL divergence for Gaussian data; Align Your Steps,
    arXiv:2404.14507."""
    way = torch.arange(steps) / max(steps - 1, 1)
    angles = way * math.atan(levels.sigma_min) + (1 - way) * math.atan(levels.sigma_max)
    return _then_zero(angles.tan())


SCHEDULES: dict[str, Schedule] = {
    "simple": simple,
    "sgm_uniform": sgm_uniform,
    "karras": karras,
    "exponential": exponential,
    "ddim_uniform": ddim_uniform,
    "beta": beta,
    "normal": normal,
    "linear_quadratic": linear_quadratic,
    "kl_optimal": kl_optimal,
}
"""By the names nodes show, in their order."""
