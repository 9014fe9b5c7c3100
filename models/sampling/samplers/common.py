"""What samplers share: the state after a step and the two ways of stepping that all are built from."""

from typing import NamedTuple

from torch import Tensor


class State(NamedTuple):
    """Where a sampler stands after a step: the latent and the estimate of the clean latent the step began with."""

    x: Tensor
    denoised: Tensor
    way: float | None = None
    """The share of the schedule walked so far, 0…1, of samplers whose steps are not those of the schedule."""


def slope(x: Tensor, denoised: Tensor, sigma: Tensor) -> Tensor:
    """dx/dσ of the probability flow, (x − denoised) / σ; Karras et al., arXiv:2206.00364, equation 3."""
    return (x - denoised) / sigma


def euler_step(x: Tensor, denoised: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """Follows the slope at sigma in a straight line to sigma_next."""
    return x + slope(x, denoised, sigma) * (sigma_next - sigma)


def no_noise(sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """The noise of samplers that walk with eta 0 and ask for none."""
    raise RuntimeError(f"noise was asked for between the sigmas {float(sigma):g} and {float(sigma_next):g}")
