"""Noise levels of networks that were trained on all sigmas of a range, and of flows."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

TABLE_SIZE = 1000
"""How many levels schedules that want a table of them get."""

BEYOND_ALL = 999999999.9
"""The sigma at the beginning, where a range of the way is to contain the first step whatever its sigma."""


@dataclass(frozen=True)
class _LogLevels:
    """A range of sigmas that the way from noise to picture crosses evenly in log σ."""

    sigma_min: float
    sigma_max: float

    @property
    def sigmas(self) -> Tensor:
        """(1000,) float32, ascending, even in log σ."""
        return torch.linspace(math.log(self.sigma_min), math.log(self.sigma_max), TABLE_SIZE).exp()

    def sigma_at_percent(self, percent: float) -> float:
        """Above every sigma at 0 % and zero at 100 %."""
        if percent <= 0:
            return BEYOND_ALL
        if percent >= 1:
            return 0.0
        low, high = math.log(self.sigma_min), math.log(self.sigma_max)
        return math.exp(low + (1 - percent) * (high - low))


@dataclass(frozen=True)
class EdmLevels(_LogLevels):
    """The network is told ¼ log σ; Karras et al., arXiv:2206.00364, table 1."""

    def timestep(self, sigma: Tensor) -> Tensor:
        return sigma.log() / 4

    def sigma(self, timestep: Tensor) -> Tensor:
        return (timestep * 4).exp()


@dataclass(frozen=True)
class VelocityLevels(_LogLevels):
    """The network is told the angle 2/π · atan σ, 0…1; arXiv:2202.00512, section 4."""

    def timestep(self, sigma: Tensor) -> Tensor:
        return sigma.atan() * (2 / math.pi)

    def sigma(self, timestep: Tensor) -> Tensor:
        return (timestep * (math.pi / 2)).tan()


@dataclass(frozen=True)
class ExplodingFlowLevels(_LogLevels):
    """The network is told σ / (1 + σ), the sigma of the flow."""

    def timestep(self, sigma: Tensor) -> Tensor:
        return sigma / (1 + sigma)

    def sigma(self, timestep: Tensor) -> Tensor:
        highest = self.sigma_max / (1 + self.sigma_max)
        return (timestep / (1 - timestep)).where(timestep < highest, timestep.new_tensor(self.sigma_max))


@dataclass(frozen=True, eq=False)
class FlowLevels:
    """σ of a flow as a function of its time 0…1, in a table of `count` levels; the network is told σ · multiplier."""

    shifted: Callable[[Tensor], Tensor]
    """Time → σ, both 0…1 and rising."""
    multiplier: float = 1000.0
    """What schedules call timesteps are times by this factor, too."""
    count: int = 1000

    @property
    def sigmas(self) -> Tensor:
        """(count,) float32, ascending to one."""
        return self.shifted(torch.arange(1, self.count + 1) / self.count)

    @property
    def sigma_min(self) -> float:
        return float(self.sigmas[0])

    @property
    def sigma_max(self) -> float:
        return float(self.sigmas[-1])

    def timestep(self, sigma: Tensor) -> Tensor:
        return sigma * self.multiplier

    def sigma(self, timestep: Tensor) -> Tensor:
        return self.shifted(timestep / self.multiplier)

    def sigma_at_percent(self, percent: float) -> float:
        """One at 0 % and zero at 100 %."""
        if percent <= 0:
            return 1.0
        if percent >= 1:
            return 0.0
        return float(self.shifted(torch.tensor(1 - percent)))


def shift(time: Tensor, by: float) -> Tensor:
    """Moves times toward noise, which larger pictures want: a t / (1 + (a − 1) t); arXiv:2403.03206, equation 23."""
    return time if by == 1 else by * time / (1 + (by - 1) * time)


def exponential_shift(time: Tensor, mu: float) -> Tensor:
    """The same with a = e^μ, as Flux writes it."""
    return math.exp(mu) / (math.exp(mu) + (1 / time - 1))


def flux_mu(width: int, height: int, base: float, highest: float) -> float:
    """Flux's μ for a picture's sides in pixels: linear in its tokens, from `base` at 256 to `highest` at 4096."""
    tokens = width * height / 256
    return base + (highest - base) * (tokens - 256) / (4096 - 256)
