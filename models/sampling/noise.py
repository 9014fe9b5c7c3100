"""Noise: the first noise of a picture and the noise that stochastic samplers add on their way.

Every generator here is a value: torch's global generator is neither read nor changed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import torch
import torchsde
from torch import Tensor

from models.types import Latent

StepNoise = Callable[[Tensor, Tensor], Tensor]
"""(sigma, sigma_next) → standard normal noise of the latent's shape for the step between the two."""

StepNoiseSource = Callable[[Tensor, Tensor, int], StepNoise]
"""(x, sigmas, seed) → the noise of one run of a sampler."""

TREE_DIGITS = 6
"""Decimals of sigma that Brownian noise tells apart, torchsde's default."""


def initial_noise(shape: Sequence[int], seed: int, batch_index: Sequence[int] | None = None) -> Tensor:
    """Standard normal float32 noise on the CPU, the numbers of `torch.manual_seed(seed); torch.randn(shape)`.

    With batch_index, picture i of the batch gets the noise that picture batch_index[i] of a larger batch has, drawn
    one picture at a time; equal indices share their noise.
    """
    generator = torch.Generator().manual_seed(seed)
    if batch_index is None:
        return torch.randn(*shape, generator=generator)
    if len(batch_index) != shape[0]:
        raise ValueError(f"the latent has {shape[0]} pictures but {len(batch_index)} batch indices")
    drawn = [torch.randn(1, *shape[1:], generator=generator) for _ in range(max(batch_index) + 1)]
    return torch.cat([drawn[index] for index in batch_index])


class Noise(Protocol):
    """Where the first noise of a picture comes from, and the seed of what follows."""

    @property
    def seed(self) -> int: ...

    def of(self, latent: Latent) -> Tensor:
        """Noise of the latent's shape (b c h w), float32, on the CPU."""
        ...


@dataclass(frozen=True)
class RandomNoise:
    """Standard normal noise."""

    seed: int

    def of(self, latent: Latent) -> Tensor:
        return initial_noise(latent.samples.shape, self.seed, latent.batch_index)


@dataclass(frozen=True)
class NoNoise:
    """Zeros, for latents that are noisy already."""

    seed: int = 0

    def of(self, latent: Latent) -> Tensor:
        return torch.zeros_like(latent.samples, dtype=torch.float32, device="cpu")


def generated(x: Tensor, sigmas: Tensor, seed: int) -> StepNoise:
    """Noise drawn on x's device, once a call.

    On the CPU the seed is one higher, since there the same seed would repeat the initial noise.
    """
    del sigmas
    if x.device.type == "cpu":
        seed = (seed + 1) % 2**64
    generator = torch.Generator(x.device).manual_seed(seed)
    return lambda sigma, sigma_next: torch.randn(x.shape, dtype=x.dtype, device=x.device, generator=generator)


def continued(x: Tensor, sigmas: Tensor, seed: int) -> Callable[[Tensor], Tensor]:
    """Noise of any tensor's shape, drawn on x's device; on the CPU it goes on where the initial noise ended."""
    del sigmas
    generator = torch.Generator(x.device).manual_seed(seed)
    if x.device.type == "cpu":
        torch.randn(x.shape, generator=generator)
    return lambda like: torch.randn(like.shape, dtype=like.dtype, device=like.device, generator=generator)


def brownian(x: Tensor, sigmas: Tensor, seed: int) -> StepNoise:
    """Increments of a Brownian motion over sigma, drawn on the CPU: the same on every device.

    Noise for a step agrees with noise for its parts, so results converge as steps are added.
    """
    return _brownian_on(torch.device("cpu"), x, sigmas, seed)


def brownian_on_device(x: Tensor, sigmas: Tensor, seed: int) -> StepNoise:
    """Increments of a Brownian motion over sigma, drawn on x's device: faster there, and other numbers."""
    return _brownian_on(x.device, x, sigmas, seed)


def _brownian_on(device: torch.device, x: Tensor, sigmas: Tensor, seed: int) -> StepNoise:
    low, high = _tree_time(sigmas[sigmas > 0].min()), _tree_time(sigmas.max())
    tree = torchsde.BrownianTree(low, torch.zeros_like(x, device=device), high, entropy=seed, tol=10**-TREE_DIGITS)

    def increment(sigma: Tensor, sigma_next: Tensor) -> Tensor:
        start, end = sorted((_tree_time(sigma), _tree_time(sigma_next)))
        upward = cast(Tensor, tree(start, end))  # a tuple only where Lévy areas are asked for
        return upward.to(x) / (sigma_next - sigma).abs().sqrt() * (sigma_next - sigma).sign()

    return increment


def _tree_time(sigma: Tensor) -> float:
    """A sigma as the tree resolves it. Told finer times, it finds the ends of its own interval outside of itself."""
    return round(float(sigma), TREE_DIGITS)
