"""Denoisers: what a network predicts, turned into an estimate of the clean latent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, Tensor], Tensor]
"""(x: b c h w, sigma: scalar) → estimate of the clean latent, of x's shape."""


class Estimates(NamedTuple):
    """Two estimates of the clean latent: what guidance says, and what the negative says without guidance."""

    denoised: Tensor
    unguided: Tensor


class GuidedDenoiser(Protocol):
    """A denoiser that can also tell what it would say without guidance, for samplers that need both."""

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The guided estimate of the clean latent, of x's shape (b c h w)."""
        ...

    def both(self, x: Tensor, sigma: Tensor) -> Estimates:
        """The guided estimate and the unguided one, from the same evaluation."""
        ...


class Prediction(Protocol):
    """What a network was trained to predict: how it is fed, read, started from and ended."""

    def network_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The noisy latent, scaled as the network has seen it in training."""
        ...

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """The clean latent that the network's output means."""
        ...

    def noised(self, latent: Tensor, noise: Tensor, sigma: Tensor, from_pure_noise: bool) -> Tensor:
        """The latent with noise of level sigma; from_pure_noise where sigma is the model's largest."""
        ...

    def ended(self, x: Tensor, sigma: Tensor) -> Tensor:
        """What is left of a walk that ends at sigma, with the latent at scale one."""
        ...


@dataclass(frozen=True)
class VarianceExploding:
    """x = latent + σ · noise, fed to the network at unit variance; the common part of eps and v prediction."""

    sigma_data: float = 1.0
    """Standard deviation of the clean latents."""

    def network_input(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x / √(σ² + σ_data²), the c_in of Karras et al., arXiv:2206.00364."""
        return x / (sigma**2 + self.sigma_data**2) ** 0.5

    def noised(self, latent: Tensor, noise: Tensor, sigma: Tensor, from_pure_noise: bool) -> Tensor:
        """latent + σ · noise; at the largest sigma, noise at the variance that latent and noise have together."""
        level = (1 + sigma**2) ** 0.5 if from_pure_noise else sigma
        return noise * level + latent

    def ended(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x."""
        return x


@dataclass(frozen=True)
class EpsPrediction(VarianceExploding):
    """The network predicts the noise (DDPM, arXiv:2006.11239)."""

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """x − σ · output."""
        return x - output * sigma


@dataclass(frozen=True)
class VPrediction(VarianceExploding):
    """The network predicts the velocity (progressive distillation, arXiv:2202.00512)."""

    def denoised(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """x · σ_data² / (σ² + σ_data²) − output · σ · σ_data / √(σ² + σ_data²)."""
        variance = sigma**2 + self.sigma_data**2
        return x * self.sigma_data**2 / variance - output * sigma * self.sigma_data / variance**0.5


def is_largest(sigma: Tensor, sigma_max: float) -> bool:
    """Whether a first sigma means starting from pure noise: at or above the model's largest, up to rounding."""
    return bool(sigma > sigma_max) or bool(torch.isclose(sigma, sigma.new_tensor(sigma_max), rtol=1e-5, atol=0.0))
