"""CFG++ (arXiv:2406.08070): steps start at the guided estimate and go along the noise that the unguided one leaves.

With u the unguided estimate, the noise in x is (x − u) / σ; a step renoises the guided estimate with it. Guidance then
needs scales of about one.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from models.sampling.denoiser import Estimates, GuidedDenoiser
from models.sampling.noise import StepNoise
from models.sampling.samplers.common import State, slope
from models.sampling.samplers.dpmpp import exponential_step
from models.sampling.samplers.process import EXPLODING, Process


def renoised(x: Tensor, estimates: Estimates, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """The guided estimate with the noise of x at sigma_next; algorithm 2 of the paper."""
    return estimates.denoised + slope(x, estimates.unguided, sigma) * sigma_next


def euler_cfg_pp(denoise: GuidedDenoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """Euler's method, renoising by the unguided estimate."""
    for sigma, sigma_next in pairwise(sigmas):
        estimates = denoise.both(x, sigma)
        x = renoised(x, estimates, sigma, sigma_next)
        yield State(x, estimates.denoised)


def euler_ancestral_cfg_pp(
    denoise: GuidedDenoiser, x: Tensor, sigmas: Tensor, noise: StepNoise, eta: float = 1.0, s_noise: float = 1.0
) -> Iterator[State]:
    """Euler steps a little too far down, made up for by new noise."""
    for sigma, sigma_next in pairwise(sigmas):
        estimates = denoise.both(x, sigma)
        down, _, up = EXPLODING.ancestral(sigma, sigma_next, eta)
        x = renoised(x, estimates, sigma, down)
        if eta > 0 and sigma_next > 0:
            x = x + noise(sigma, sigma_next) * s_noise * up
        yield State(x, estimates.denoised)


def euler_alternative(denoise: GuidedDenoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """Euler's method from where the unguided estimate would put x, with the step of x itself; not in the paper."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised, unguided = denoise.both(x, sigma)
        x = x + slope(x - denoised + unguided, denoised, sigma) * (sigma_next - sigma)
        yield State(x, denoised)


def dpmpp_2s_ancestral_cfg_pp(
    denoise: GuidedDenoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    process: Process = EXPLODING,
) -> Iterator[State]:
    """DPM-Solver++(2S) from starts that are shifted by the guidance, and new noise.

    The shift is away from the latest unguided estimate: for the second half that is the one in the middle.
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised, unguided = estimates = denoise.both(x, sigma)
        down, keep, up = process.ancestral(sigma, sigma_next, eta)
        if down == 0:
            x = renoised(x, estimates, sigma, down)
        else:
            middle = process.middle(sigma, down)
            x_middle = exponential_step(x + denoised - unguided, denoised, sigma, middle)
            denoised_middle, unguided_middle = denoise.both(x_middle, middle)
            x = exponential_step(x + denoised - unguided_middle, denoised_middle, sigma, down)
        if sigma_next > 0:
            x = x * keep + noise(sigma, sigma_next) * s_noise * up
        yield State(x, denoised)


def dpmpp_2m_cfg_pp(denoise: GuidedDenoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """Renoises as Euler's method does, and extrapolates from the previous step's unguided estimate."""
    previous: tuple[Tensor, Tensor] | None = None  # (unguided, step size in log σ)
    for sigma, sigma_next in pairwise(sigmas):
        estimates = denoise.both(x, sigma)
        x = renoised(x, estimates, sigma, sigma_next)
        if sigma_next > 0:
            h = (sigma / sigma_next).log()
            if previous is not None:
                unguided_last, h_last = previous
                x = x + (1 - sigma_next / sigma) * (estimates.denoised - unguided_last) * h / (2 * h_last)
            previous = estimates.unguided, h
        yield State(x, estimates.denoised)


def res_multistep_cfg_pp(denoise: GuidedDenoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """Refined exponential solver, two steps, without noise."""
    return res_multistep_ancestral_cfg_pp(denoise, x, sigmas, lambda sigma, sigma_next: torch.zeros_like(x), eta=0.0)


def res_multistep_ancestral_cfg_pp(
    denoise: GuidedDenoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    process: Process = EXPLODING,
) -> Iterator[State]:
    """Refined exponential solver, arXiv:2308.02157, through the last two unguided estimates from a start that is
    shifted by the guidance. The first and the last step renoise as Euler's method does."""
    previous: tuple[Tensor, Tensor] | None = None  # (unguided, size in log σ of the step without its noise)
    for sigma, sigma_next in pairwise(sigmas):
        denoised, unguided = estimates = denoise.both(x, sigma)
        down, keep, up = process.ancestral(sigma, sigma_next, eta)
        h = (sigma / down).log()
        if previous is None or down == 0:
            x = renoised(x, estimates, sigma, down)
        else:
            unguided_last, h_last = previous
            x = exponential_step(x + denoised - unguided, unguided, sigma, down)
            x = x + (1 + (-h).expm1() / h) * (unguided - unguided_last) * h / h_last
        previous = unguided, h
        if eta > 0 and sigma_next > 0:
            x = x * keep + noise(sigma, sigma_next) * s_noise * up
        yield State(x, denoised)


def gradient_estimation_cfg_pp(
    denoise: GuidedDenoiser, x: Tensor, sigmas: Tensor, gamma: float = 2.0
) -> Iterator[State]:
    """Renoises as Euler's method does, and goes beyond by the change of the unguided slope; arXiv:2306.04848."""
    slope_last: Tensor | None = None
    for sigma, sigma_next in pairwise(sigmas):
        estimates = denoise.both(x, sigma)
        own = slope(x, estimates.unguided, sigma)
        x = renoised(x, estimates, sigma, sigma_next)
        if slope_last is not None and sigma_next > 0:
            x = x + (gamma - 1) * (own - slope_last) * (sigma_next - sigma)
        slope_last = own
        yield State(x, estimates.denoised)
