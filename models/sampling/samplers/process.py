"""How latent and noise are mixed on the way, for samplers that add noise of their own."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

NEARLY_ONE = 0.9999
"""The sigma taken for the middle of a step that starts at a flow's pure noise, which is infinitely far in log SNR."""


class Ancestral(NamedTuple):
    """A step with new noise: walk to the sigma `down`, multiply by `keep`, add noise of the sigma `up`."""

    down: Tensor
    keep: Tensor | float
    up: Tensor


class Process(Protocol):
    """A family of mixtures of latent and noise, one for each sigma."""

    def ancestral(self, sigma: Tensor, sigma_next: Tensor, eta: float) -> Ancestral:
        """Splits a step to sigma_next, so that it ends with that noise; eta 0 adds none."""
        ...

    def middle(self, sigma: Tensor, sigma_next: Tensor) -> Tensor:
        """The sigma halfway in the logarithm of the ratio of signal to noise."""
        ...

    def noised(self, latent: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
        """The latent mixed with standard normal noise at sigma."""
        ...


@dataclass(frozen=True)
class Exploding:
    """x = latent + σ · noise."""

    def ancestral(self, sigma: Tensor, sigma_next: Tensor, eta: float) -> Ancestral:
        """With eta 1 the posterior of DDPM, arXiv:2006.11239; down² + up² is sigma_next²."""
        if eta == 0:
            return Ancestral(sigma_next, 1.0, torch.zeros_like(sigma_next))
        up = torch.minimum(sigma_next, eta * (sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2) ** 0.5)
        return Ancestral((sigma_next**2 - up**2) ** 0.5, 1.0, up)

    def middle(self, sigma: Tensor, sigma_next: Tensor) -> Tensor:
        return (sigma * sigma_next).sqrt()

    def noised(self, latent: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
        return latent + sigma * noise


@dataclass(frozen=True)
class Flowing:
    """x = (1 − σ) · latent + σ · noise, a rectified flow (arXiv:2209.03003)."""

    def ancestral(self, sigma: Tensor, sigma_next: Tensor, eta: float) -> Ancestral:
        """Steps down by a share eta of sigma_next / sigma too far, then brings the latent to its part of the mixture
        and makes up for the noise."""
        if eta == 0:
            return Ancestral(sigma_next, 1.0, torch.zeros_like(sigma_next))
        down = (sigma_next * (1 + (sigma_next / sigma - 1) * eta)).clamp(min=0)
        keep = (1 - sigma_next) / (1 - down)
        return Ancestral(down, keep, (sigma_next**2 - down**2 * keep**2).clamp(min=0).sqrt())

    def middle(self, sigma: Tensor, sigma_next: Tensor) -> Tensor:
        if sigma == 1:
            return torch.full_like(sigma, NEARLY_ONE)
        return ((sigma.logit() + sigma_next.logit()) / 2).sigmoid()

    def noised(self, latent: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
        return (1 - sigma) * latent + sigma * noise


EXPLODING = Exploding()
FLOWING = Flowing()
