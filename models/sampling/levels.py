"""Noise levels: which sigma belongs to which timestep of the training."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

LAST_ALPHA_BAR_OF_ZERO_SNR = 4.8973451890853435e-08
"""Stands for the zero that zero-terminal-SNR puts last, so that its sigma (about 4518) stays finite."""


class NoiseLevels(Protocol):
    """What schedules and denoisers ask of a model's noise levels. All tensors are float32 on the CPU."""

    @property
    def sigmas(self) -> Tensor:
        """The sigmas of training, ascending, (n,)."""
        ...

    @property
    def sigma_min(self) -> float: ...

    @property
    def sigma_max(self) -> float: ...

    def timestep(self, sigma: Tensor) -> Tensor:
        """The timestep the network is told for a sigma; any shape."""
        ...

    def sigma(self, timestep: Tensor) -> Tensor:
        """The sigma of a timestep, which may lie between two of training; any shape."""
        ...

    def sigma_at_percent(self, percent: float) -> float:
        """The sigma at a share 0…1 of the way from pure noise to the picture."""
        ...


@dataclass(frozen=True, eq=False)
class DiscreteLevels:
    """The levels of a network trained on numbered timesteps (DDPM, arXiv:2006.11239)."""

    sigmas: Tensor
    """(n,) float32, ascending: entry t is the sigma of timestep t."""

    @cached_property
    def log_sigmas(self) -> Tensor:
        return self.sigmas.log()

    @property
    def sigma_min(self) -> float:
        return float(self.sigmas[0])

    @property
    def sigma_max(self) -> float:
        return float(self.sigmas[-1])

    def timestep(self, sigma: Tensor) -> Tensor:
        """The index whose log σ is nearest, as int64 of sigma's shape and device."""
        distances = sigma.log().unsqueeze(-1) - self.log_sigmas.to(sigma.device)
        return distances.abs().argmin(dim=-1)

    def sigma(self, timestep: Tensor) -> Tensor:
        """Linear interpolation of log σ between neighboring timesteps, clamped to the table's ends."""
        timestep = timestep.float().clamp(0, len(self.sigmas) - 1)
        log_sigmas = self.log_sigmas.to(timestep.device)
        low, high, weight = timestep.floor().long(), timestep.ceil().long(), timestep.frac()
        return ((1 - weight) * log_sigmas[low] + weight * log_sigmas[high]).exp()

    def sigma_at_percent(self, percent: float) -> float:
        """Above every sigma at 0 % and zero at 100 %, so that the whole range contains the first and last step."""
        return self._at_timestep(percent, len(self.sigmas) - 1)

    def _at_timestep(self, percent: float, last: int) -> float:
        if percent <= 0:
            return 999999999.9
        if percent >= 1:
            return 0.0
        return float(self.sigma(torch.tensor((1 - percent) * last)))


def scaled_linear_alphas_bar(first: float = 0.00085, last: float = 0.012, count: int = 1000) -> Tensor:
    """ᾱ of Stable Diffusion's training: √β is linear. (count,) float64, descending; arXiv:2112.10752."""
    betas = torch.linspace(first**0.5, last**0.5, count, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0)


def with_zero_terminal_snr(alphas_bar: Tensor) -> Tensor:
    """Shift and stretch √ᾱ so that the last is (almost) zero and the first stays; arXiv:2305.08891, algorithm 1."""
    roots = alphas_bar.sqrt()
    rescaled = ((roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])) ** 2
    rescaled[-1] = LAST_ALPHA_BAR_OF_ZERO_SNR
    return rescaled


def discrete_levels(alphas_bar: Tensor) -> DiscreteLevels:
    """σ = √((1 − ᾱ) / ᾱ): the noise of a timestep where the picture has scale one."""
    alphas_bar = alphas_bar.double()
    return DiscreteLevels(((1 - alphas_bar) / alphas_bar).sqrt().float())


@dataclass(frozen=True, eq=False)
class DistilledLevels(DiscreteLevels):
    """Levels of which a distilled network knows every `stride`-th, the noisiest among them; arXiv:2310.04378.

    `sigmas` are those it knows, and timesteps still those of the training.
    """

    stride: int = 1

    def timestep(self, sigma: Tensor) -> Tensor:
        """Of the nearest known, counted among all."""
        return super().timestep(sigma) * self.stride + self.stride - 1

    def sigma(self, timestep: Tensor) -> Tensor:
        """Interpolates between the known, clamped to the ends."""
        return super().sigma((timestep.float() - (self.stride - 1)) / self.stride)

    def sigma_at_percent(self, percent: float) -> float:
        """Above every sigma at 0 % and zero at 100 %."""
        last = len(self.sigmas) * self.stride - 1
        return self._at_timestep(percent, last)


def distilled(levels: DiscreteLevels, count: int = 50) -> DistilledLevels:
    """So many of the levels, evenly apart."""
    stride = len(levels.sigmas) // count
    return DistilledLevels(levels.sigmas[stride - 1 :: stride], stride)
