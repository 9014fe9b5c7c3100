"""Samplers that start each step afresh: Euler's, Heun's and the midpoint method, with and without new noise."""

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.sampling.noise import StepNoise
from models.sampling.samplers.common import State, euler_step, slope
from models.sampling.samplers.process import EXPLODING, Process


def euler(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """Euler's method on the probability flow; Karras et al., arXiv:2206.00364, algorithm 2 without its correction.

    In the coordinates x / √(1 + σ²) this is DDIM (arXiv:2010.02502) without noise.
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        x = euler_step(x, denoised, sigma, sigma_next)
        yield State(x, denoised)


def euler_ancestral(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    process: Process = EXPLODING,
) -> Iterator[State]:
    """Euler steps a little too far down, made up for by new noise.

    With eta 1 this is DDPM's ancestral sampling (arXiv:2006.11239, algorithm 2): the step down ends at
    sigma_next² / sigma, which is the mean of the posterior, and the noise has the posterior's variance.
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        down, keep, up = process.ancestral(sigma, sigma_next, eta)
        x = euler_step(x, denoised, sigma, down)
        if sigma_next > 0:
            x = x * keep + noise(sigma, sigma_next) * s_noise * up
        yield State(x, denoised)


def heun(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """The mean of the slopes at both ends of a step; arXiv:2206.00364, algorithm 2 without churn."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        start = slope(x, denoised, sigma)
        x_next = x + start * (sigma_next - sigma)
        if sigma_next > 0:
            end = slope(x_next, denoise(x_next, sigma_next), sigma_next)
            x_next = x + (start + end) / 2 * (sigma_next - sigma)
        x = x_next
        yield State(x, denoised)


def heunpp2(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """Heun++: looks up to two steps ahead and weighs the slopes there by how noisy they are, in shares of the first.

    With k slopes, the one at sigma weighs sigma / (k · first sigma) and the slope of the step itself the rest.
    """
    first, end = sigmas[0], sigmas[-1]
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        own = slope(x, denoised, sigma)
        ahead = [] if sigma_next == end else [one for one in sigmas[index + 1 : index + 3] if one != end]
        direction, guess, at, towards = own, x, sigma, own
        for target in ahead:
            guess = guess + towards * (target - at)
            at, towards = target, slope(guess, denoise(guess, target), target)
            direction = direction + (towards - own) * target / ((len(ahead) + 1) * first)
        x = x + direction * (sigma_next - sigma)
        yield State(x, denoised)


def dpm_2(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """The slope in the middle of a step, in log σ; DPM-Solver-2, arXiv:2206.00927."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        x = _midpoint_step(denoise, x, denoised, sigma, sigma_next)
        yield State(x, denoised)


def dpm_2_ancestral(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    eta: float = 1.0,
    s_noise: float = 1.0,
    process: Process = EXPLODING,
) -> Iterator[State]:
    """dpm_2 steps a little too far down, made up for by new noise."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        down, keep, up = process.ancestral(sigma, sigma_next, eta)
        x = _midpoint_step(denoise, x, denoised, sigma, down)
        if sigma_next > 0:
            x = x * keep + noise(sigma, sigma_next) * s_noise * up
        yield State(x, denoised)


def _midpoint_step(denoise: Denoiser, x: Tensor, denoised: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    if sigma_next == 0:
        return euler_step(x, denoised, sigma, sigma_next)
    middle = sigma.log().lerp(sigma_next.log(), 0.5).exp()
    x_middle = euler_step(x, denoised, sigma, middle)
    return x + slope(x_middle, denoise(x_middle, middle), middle) * (sigma_next - sigma)
