"""An exactly solvable rectified flow: data drawn from N(0, s²), x = (1 − σ) · latent + σ · noise.

Noisy data has the variance v(σ) = (1 − σ)² s² + σ², the perfect denoiser is D(x, σ) = x (1 − σ) s² / v(σ), and the flow
from σ₀ to σ₁ scales x by √(v(σ₁) / v(σ₀)).
"""

from functools import partial

from torch import Tensor

from models.sampling.continuous_levels import FlowLevels, shift
from models.sampling.model_sampling import ModelSampling
from models.sampling.predictions import FlowPrediction

SPREAD = 1.3
SAMPLING = ModelSampling(FlowPrediction(), FlowLevels(partial(shift, by=3.0)))


def variance(sigma: Tensor) -> Tensor:
    return (1 - sigma) ** 2 * SPREAD**2 + sigma**2


def denoise(x: Tensor, sigma: Tensor) -> Tensor:
    return x * (1 - sigma) * SPREAD**2 / variance(sigma)


def transported(x: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    return x * (variance(sigma_next) / variance(sigma)).sqrt()
