"""DPM-Solver++ (arXiv:2211.01095): exact in the linear part of the flow, interpolating the denoised estimate.

In t = −log σ the flow is dx/dt = denoised − x, so a step of size h with a constant estimate is exactly
x ← e^(−h) x + (1 − e^(−h)) denoised.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.sampling.noise import StepNoise
from models.sampling.samplers.common import State, euler_step
from models.sampling.samplers.process import EXPLODING, Process


def exponential_step(x: Tensor, target: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """The exact flow from sigma to sigma_next toward a target that stays."""
    ratio = sigma_next / sigma
    return ratio * x + (1 - ratio) * target


def dpmpp_2m(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """DPM-Solver++(2M), algorithm 2: extrapolates from the previous step's estimate."""
    previous: tuple[Tensor, Tensor] | None = None  # (denoised, step size in log σ)
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        target = denoised
        if sigma_next > 0:
            h = (sigma / sigma_next).log()
            if previous is not None:
                denoised_last, h_last = previous
                target = denoised + (denoised - denoised_last) * h / (2 * h_last)
            previous = denoised, h
        x = exponential_step(x, target, sigma, sigma_next)
        yield State(x, denoised)


def dpmpp_2s_ancestral(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    process: Process = EXPLODING,
) -> Iterator[State]:
    """DPM-Solver++(2S), algorithm 1, with the estimate in the middle of each step and new noise at its end."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        down, keep, up = process.ancestral(sigma, sigma_next, eta)
        if down == 0:
            x = euler_step(x, denoised, sigma, down)
        else:
            middle = process.middle(sigma, down)
            x_middle = exponential_step(x, denoised, sigma, middle)
            x = exponential_step(x, denoise(x_middle, middle), sigma, down)
        if sigma_next > 0:
            x = x * keep + noise(sigma, sigma_next) * s_noise * up
        yield State(x, denoised)


def dpmpp_sde(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    r: float = 0.5,
) -> Iterator[State]:
    """DPM-Solver++ for the reverse SDE with one intermediate estimate, a share r of the step in log σ away."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = euler_step(x, denoised, sigma, sigma_next)
        else:
            middle = (sigma.log() - r * (sigma.log() - sigma_next.log())).exp()  # the last digit decides its noise
            down, _, up = EXPLODING.ancestral(sigma, middle, eta)
            x_middle = exponential_step(x, denoised, sigma, down) + noise(sigma, middle) * s_noise * up
            target = denoised + (denoise(x_middle, middle) - denoised) / (2 * r)
            down, _, up = EXPLODING.ancestral(sigma, sigma_next, eta)
            x = exponential_step(x, target, sigma, down) + noise(sigma, sigma_next) * s_noise * up
        yield State(x, denoised)


def dpmpp_2m_sde(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    solver: Literal["midpoint", "heun"] = "midpoint",
) -> Iterator[State]:
    """DPM-Solver++(2M) for the reverse SDE: noise of share eta is added while the estimate is extrapolated."""
    previous: tuple[Tensor, Tensor] | None = None  # (denoised, step size in log σ)
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            h = (sigma / sigma_next).log()
            damping = h * (1 + eta)
            reached = -(-damping).expm1()  # the share of the way to a constant estimate
            x = sigma_next / sigma * (-eta * h).exp() * x + reached * denoised
            if previous is not None:
                denoised_last, h_last = previous
                weight = reached / 2 if solver == "midpoint" else 1 - reached / damping
                x = x + weight * (denoised - denoised_last) * h / h_last
            if eta > 0:
                x = x + noise(sigma, sigma_next) * _sde_noise(h, sigma_next, eta) * s_noise
            previous = denoised, h
        yield State(x, denoised)


def dpmpp_3m_sde(
    denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: StepNoise, eta: float = 1.0, s_noise: float = 1.0
) -> Iterator[State]:
    """DPM-Solver++(3M) for the reverse SDE: extrapolates by first and second differences of the estimate."""
    past: list[tuple[Tensor, Tensor]] = []  # (denoised, step size in log σ), latest first, at most two
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            h = (sigma / sigma_next).log()
            damping = h * (1 + eta)
            reached = -(-damping).expm1()
            phi_2 = 1 - reached / damping
            x = (-damping).exp() * x + reached * denoised + _differences(denoised, h, damping, phi_2, past)
            if eta > 0:
                x = x + noise(sigma, sigma_next) * _sde_noise(h, sigma_next, eta) * s_noise
            past = [(denoised, h), *past[:1]]
        yield State(x, denoised)


def _differences(
    denoised: Tensor, h: Tensor, damping: Tensor, phi_2: Tensor, past: list[tuple[Tensor, Tensor]]
) -> Tensor | float:
    """What the change of the estimate over the past steps adds to a step, in divided differences."""
    if not past:
        return 0.0
    (denoised_1, h_1), *older = past
    r_0 = h_1 / h
    first = (denoised - denoised_1) / r_0
    if not older:
        return phi_2 * first
    denoised_2, h_2 = older[0]
    r_1 = h_2 / h
    second = (first - (denoised_1 - denoised_2) / r_1) / (r_0 + r_1)
    phi_3 = phi_2 / damping - 0.5
    return phi_2 * (first + second * r_0) - phi_3 * second


def _sde_noise(h: Tensor, sigma_next: Tensor, eta: float) -> Tensor:
    """Standard deviation of the noise that arrives within a step of size h in log σ."""
    return sigma_next * (-(-2 * eta * h).expm1()).sqrt()


def res_multistep(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """Refined exponential solver, two steps, without noise."""
    return res_multistep_ancestral(denoise, x, sigmas, lambda sigma, sigma_next: torch.zeros_like(x), eta=0.0)


def res_multistep_ancestral(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    process: Process = EXPLODING,
) -> Iterator[State]:
    """Refined exponential solver, arXiv:2308.02157: integrates the line through the last two estimates exactly."""
    previous: tuple[Tensor, Tensor] | None = None  # (denoised, size in log σ of the step without its noise)
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        down, keep, up = process.ancestral(sigma, sigma_next, eta)
        x = exponential_step(x, denoised, sigma, down)
        if down > 0:
            h = (sigma / down).log()
            if previous is not None:
                denoised_last, h_last = previous
                x = x + (1 + (-h).expm1() / h) * (denoised - denoised_last) * h / h_last
            previous = denoised, h
        if eta > 0 and sigma_next > 0:
            x = x * keep + noise(sigma, sigma_next) * s_noise * up
        yield State(x, denoised)
