"""An exactly solvable diffusion: data drawn from N(0, s²).

The perfect denoiser is D(x, σ) = x s² / (s² + σ²), noisy data has the variance s² + σ², and the probability flow from
σ₀ to σ₁ scales x by √((s² + σ₁²) / (s² + σ₀²)).
"""

import torch
from torch import Tensor

SPREAD = 1.3


def denoise(x: Tensor, sigma: Tensor) -> Tensor:
    return x * SPREAD**2 / (SPREAD**2 + sigma**2)


def flow(x: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    return x * ((SPREAD**2 + sigma_next**2) / (SPREAD**2 + sigma**2)).sqrt()


def sigmas(steps: int, high: float = 10.0, low: float = 0.1) -> Tensor:
    return torch.logspace(torch.tensor(high).log10().item(), torch.tensor(low).log10().item(), steps + 1).double()
