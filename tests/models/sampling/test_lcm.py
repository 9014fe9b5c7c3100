"""Sampling of consistency models walks as the scheduler of diffusers does, by its own levels and estimates."""

from typing import Any

import pytest
import torch
from torch import Tensor

from models.sampling.levels import discrete_levels, distilled, scaled_linear_alphas_bar
from models.sampling.predictions import ConsistencyPrediction
from models.sampling.samplers.lcm import lcm

LEVELS = discrete_levels(scaled_linear_alphas_bar())


def network(x: Tensor) -> Tensor:
    return (0.7 * x + 0.3 * x.roll(1, dims=-1)).tanh()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("steps", [1, 4, 8])
def test_it_walks_as_the_scheduler_of_diffusers(steps: int) -> None:
    """Theirs is in the coordinates x / √(1 + σ²)."""
    theirs: Any = pytest.importorskip("diffusers").LCMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, original_inference_steps=50
    )
    theirs.set_timesteps(steps)
    start = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    sample, chance = start, torch.Generator().manual_seed(3)
    for timestep in theirs.timesteps:
        sample = theirs.step(network(sample), timestep, sample, generator=chance).prev_sample

    prediction, chance = ConsistencyPrediction(levels=distilled(LEVELS)), torch.Generator().manual_seed(3)
    sigmas = torch.cat([LEVELS.sigmas[theirs.timesteps], torch.zeros(1)])

    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        return prediction.denoised(network(prediction.network_input(x, sigma)), x, sigma)

    def noise(sigma: Tensor, sigma_next: Tensor) -> Tensor:
        return torch.randn(start.shape, generator=chance)

    *_, state = lcm(denoise, start * (1 + sigmas[0] ** 2).sqrt(), sigmas, noise)
    torch.testing.assert_close(state.x, sample, atol=1e-4, rtol=1e-4)
