"""`comfy.k_diffusion.sampling`: samplers as functions, and what packs write their own of."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import trange

from models.sampling import schedules
from models.sampling.noise import brownian, brownian_on_device, generated
from models.sampling.samplers.common import slope
from models.sampling.samplers.process import EXPLODING
from models.sampling.samplers.table import SAMPLERS
from nodes.v1.sampler_functions import UNLISTED, Function, function_named

PREFIX = "sample_"
EXPORTED = {"trange": trange}
"""What packs take from the module that it has from others."""


def sampler_functions() -> dict[str, Function]:
    """Our samplers in this form, by the names that packs call them by."""
    return {f"{PREFIX}{name}": function_named(name) for name in SAMPLERS if name not in UNLISTED}


def append_dims(x: Tensor, target_dims: int) -> Tensor:
    """The tensor with axes of one entry added behind its own, until there are so many."""
    return x.reshape(*x.shape, *[1] * (target_dims - x.ndim))


def append_zero(x: Tensor) -> Tensor:
    """The sigmas (n,), and zero."""
    return torch.cat([x, x.new_zeros(1)])


def to_d(x: Tensor, sigma: Tensor, denoised: Tensor) -> Tensor:
    """dx/dσ at sigmas (b,) or one for all."""
    return slope(x, denoised, append_dims(sigma, x.ndim) if sigma.ndim else sigma)


def get_ancestral_step(
    sigma_from: Tensor | float, sigma_to: Tensor | float, eta: float = 1.0
) -> tuple[Tensor | float, Tensor | float]:
    """The sigma to step down to, and that of the noise to add."""
    if not eta:
        return sigma_to, 0.0
    step = EXPLODING.ancestral(torch.as_tensor(sigma_from), torch.as_tensor(sigma_to), eta)
    return step.down, step.up


def default_noise_sampler(x: Tensor, seed: int | None = None) -> Callable[[Tensor, Tensor], Tensor]:
    """(sigma, sigma_next) → normal noise of x's shape; without a seed by torch's own generator."""
    if seed is None:
        return lambda sigma, sigma_next: torch.randn_like(x)
    return generated(x, torch.empty(0), seed)


class BrownianTreeNoiseSampler:
    """(sigma, sigma_next) → increments of a Brownian motion over sigma, of x's shape and unit variance."""

    def __init__(
        self,
        x: Tensor,
        sigma_min: Tensor | float,
        sigma_max: Tensor | float,
        seed: int | None = None,
        transform: Callable[[Tensor], Tensor] = lambda x: x,
        cpu: bool = False,
    ) -> None:
        ends = torch.stack([transform(torch.as_tensor(end)).float().cpu() for end in (sigma_min, sigma_max)])
        source = brownian if cpu else brownian_on_device
        self._transform = transform
        self._noise = source(x, ends, int(torch.randint(2**63 - 1, ())) if seed is None else seed)

    def __call__(self, sigma: Tensor, sigma_next: Tensor) -> Tensor:
        return self._noise(*(self._transform(torch.as_tensor(one)) for one in (sigma, sigma_next)))


def get_sigmas_karras(n: int, sigma_min: float, sigma_max: float, rho: float = 7.0, device: Any = "cpu") -> Tensor:
    """n sigmas even in σ^(1/ρ), and zero."""
    return schedules.karras_between(float(sigma_min), float(sigma_max), n, rho).to(device)


def get_sigmas_exponential(n: int, sigma_min: float, sigma_max: float, device: Any = "cpu") -> Tensor:
    """n sigmas even in log σ, and zero."""
    return schedules.exponential_between(float(sigma_min), float(sigma_max), n).to(device)


def get_sigmas_polyexponential(
    n: int, sigma_min: float, sigma_max: float, rho: float = 1.0, device: Any = "cpu"
) -> Tensor:
    """n sigmas whose log σ falls as a power of the way left, and zero."""
    return schedules.polyexponential_between(float(sigma_min), float(sigma_max), n, rho).to(device)


def get_sigmas_vp(
    n: int, beta_d: float = 19.9, beta_min: float = 0.1, eps_s: float = 1e-3, device: Any = "cpu"
) -> Tensor:
    """n sigmas even in the time of the VP diffusion, and zero."""
    return schedules.variance_preserving(n, beta_d, beta_min, eps_s).to(device)
