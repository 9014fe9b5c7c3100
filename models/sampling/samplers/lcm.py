"""Sampling of consistency models, arXiv:2303.01469, algorithm 1: jumps to the estimate and noises it again."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from models.resize import ResizeMethod, resize_latent
from models.sampling.denoiser import Denoiser
from models.sampling.noise import StepNoise
from models.sampling.samplers.common import State
from models.sampling.samplers.process import EXPLODING, Process


def lcm(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    s_noise: float = 1.0,
    s_noise_end: float | None = None,
    noise_clip_std: float = 0.0,
    process: Process = EXPLODING,
) -> Iterator[State]:
    """The new noise is multiplied by s_noise in the first step, changing evenly to s_noise_end in the last.

    Above zero, noise_clip_std limits it to so many of its standard deviations.
    """
    end = s_noise if s_noise_end is None else s_noise_end
    steps = len(sigmas) - 1
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        x = denoised = denoise(x, sigma)
        if sigma_next > 0:
            fresh = noise(sigma, sigma_next)
            if noise_clip_std > 0:
                limit = noise_clip_std * float(fresh.std())
                fresh = fresh.clamp(-limit, limit)
            scale = s_noise + (end - s_noise) * index / max(steps - 1, 1)
            x = process.noised(denoised, fresh * scale, sigma_next)
        yield State(x, denoised)


def lcm_upscale(
    denoise: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: Callable[[Tensor], Tensor],
    ratio: float = 1.0,
    steps: int | None = None,
    method: ResizeMethod = "bislerp",
    process: Process = EXPLODING,
) -> Iterator[State]:
    """Enlarges the estimate in so many of the first steps, by even amounts, until its sides are `ratio` times longer.

    By default in half of the steps. noise(x) is noise of x's shape.
    """
    growing = max(len(sigmas) // 2, 1) if steps is None else min(steps, len(sigmas))
    ratios = torch.linspace(1, ratio, growing + 1, dtype=torch.float64)[1:].tolist()
    height, width = x.shape[-2:]
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        x = denoised = denoise(x, sigma)
        if index < len(ratios):
            x = resize_latent(x, round(width * ratios[index]), round(height * ratios[index]), method, center=False)
        if sigma_next > 0:
            x = process.noised(x, noise(x), sigma_next)
        yield State(x, denoised)
