"""Flow models in the coordinates of the others.

In y = x / (1 − σ) and s = σ / (1 − σ) a flow x = (1 − σ) · latent + σ · noise is y = latent + s · noise. Samplers that
are exact in the linear part of the reverse SDE, or go by the ratio of noise to signal, are the same there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from models.sampling.denoiser import Estimates, GuidedDenoiser
from models.sampling.levels import NoiseLevels
from models.sampling.noise import StepNoise
from models.sampling.samplers.common import State

FIRST_PERCENT = 1e-4
"""The share of the way that stands for its beginning, where the ratio is infinite."""


def ratio(sigma: Tensor) -> Tensor:
    """s of σ, in float64 so that σ can be told from it again."""
    return sigma.double() / (1 - sigma.double())


def sigma_of(ratio: Tensor, dtype: torch.dtype) -> Tensor:
    """σ of s."""
    return (ratio / (1 + ratio)).to(dtype)


def from_finite_ratio(sigmas: Tensor, levels: NoiseLevels) -> Tensor:
    """The sigmas, a first one of pure noise replaced by the one next to it."""
    if len(sigmas) == 0 or sigmas[0] < 1:
        return sigmas
    return torch.cat([sigmas.new_tensor([levels.sigma_at_percent(FIRST_PERCENT)]), sigmas[1:]])


@dataclass(frozen=True)
class InRatios:
    """A flow model's denoiser, asked in y and s."""

    denoise: GuidedDenoiser
    dtype: torch.dtype

    def __call__(self, y: Tensor, ratio: Tensor) -> Tensor:
        return self.denoise(y / (1 + ratio), sigma_of(ratio, self.dtype))

    def both(self, y: Tensor, ratio: Tensor) -> Estimates:
        return self.denoise.both(y / (1 + ratio), sigma_of(ratio, self.dtype))


def walk_in_ratios(
    walk: Callable[..., Iterator[State]], denoise: GuidedDenoiser, x: Tensor, sigmas: Tensor, noise: StepNoise | None
) -> Iterator[State]:
    """Takes a walk of x = latent + σ · noise on a flow model, from x (b c h w) down its sigmas, all but pure noise."""
    dtype = sigmas.dtype
    sources = () if noise is None else (_of_ratios(noise, dtype),)
    states = walk(InRatios(denoise, dtype), x / (1 - sigmas[0]), ratio(sigmas), *sources)
    for state, sigma_next in zip(states, sigmas[1:], strict=True):
        yield state._replace(x=state.x * (1 - sigma_next))


def _of_ratios(noise: StepNoise, dtype: torch.dtype) -> StepNoise:
    return lambda start, end: noise(sigma_of(start, dtype), sigma_of(end, dtype))
