"""Our samplers walk as those of k-diffusion do, with the same noise; where that package is not installed, the
published forms in published.py stand for it."""

from typing import Any

import pytest
import torch
from torch import Tensor

from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.sampling.noise import StepNoise, brownian, generated
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import SCHEDULES
from tests.models.sampling.fakes import Both

k_diffusion: Any = pytest.importorskip("k_diffusion.sampling", exc_type=ImportError)

LEVELS = discrete_levels(scaled_linear_alphas_bar())
SEED = 5
WITHOUT_NOISE = ["euler", "heun", "dpm_2", "lms", "dpmpp_2m"]
WITH_NOISE = [
    ("euler_ancestral", {}),
    ("dpm_2_ancestral", {}),
    ("dpmpp_2s_ancestral", {}),
    ("dpmpp_sde", {}),
    ("dpmpp_2m_sde", {"solver_type": "midpoint"}),
    ("dpmpp_2m_sde_heun", {"solver_type": "heun"}),
    ("dpmpp_3m_sde", {}),
]


def denoise(x: Tensor, sigma: Tensor) -> Tensor:
    """A denoiser without symmetries: channels mix and saturate. sigma is a scalar or one a picture."""
    sigma = sigma.reshape(-1, 1, 1, 1)
    mix = torch.linspace(-0.6, 0.8, 16, dtype=x.dtype).reshape(4, 4)
    scaled = x / (1 + sigma**2).sqrt()
    return 0.3 * x / (1 + sigma**2) + 1.2 * torch.einsum("bchw,cd->bdhw", scaled, mix).tanh()


def start() -> Tensor:
    """In float64, where other orders of the same operations differ by next to nothing."""
    return torch.randn(2, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * LEVELS.sigma_max


def ours(name: str, sigmas: Tensor) -> Tensor:
    *_, state = SAMPLERS[name](Both(denoise), start(), sigmas, SEED)
    return state.x


def noise_of(name: str, sigmas: Tensor) -> StepNoise:
    source = SAMPLERS[name].noise
    if source is generated:
        return generated(start(), sigmas, SEED)
    assert source is brownian
    tree = k_diffusion.BrownianTreeNoiseSampler(start(), sigmas[sigmas > 0].min(), sigmas.max(), seed=SEED)

    def on_schedule(sigma: Tensor) -> Tensor:
        """dpmpp_sde asks for the sigmas through a logarithm and back, which moves their last digit and its noise."""
        nearest = sigmas[(sigmas - sigma).abs().argmin()]
        return nearest if torch.isclose(nearest, sigma, rtol=1e-6, atol=0) else sigma

    return lambda sigma, sigma_next: tree(on_schedule(sigma), on_schedule(sigma_next))


@pytest.mark.parametrize("schedule", ["karras", "normal", "exponential"])
@pytest.mark.parametrize("name", WITHOUT_NOISE)
def test_a_deterministic_sampler_agrees(name: str, schedule: str) -> None:
    sigmas = SCHEDULES[schedule](LEVELS, 12)
    expected = getattr(k_diffusion, f"sample_{name}")(denoise, start(), sigmas, disable=True)
    torch.testing.assert_close(ours(name, sigmas), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("schedule", ["karras", "normal", "exponential"])
@pytest.mark.parametrize(("name", "options"), WITH_NOISE)
@pytest.mark.filterwarnings("ignore")  # of times a rounding error outside of the tree, which ours are not
def test_a_stochastic_sampler_agrees(name: str, options: dict[str, Any], schedule: str) -> None:
    sigmas = SCHEDULES[schedule](LEVELS, 12)
    walk = getattr(k_diffusion, f"sample_{name.removesuffix('_heun')}")
    expected = walk(denoise, start(), sigmas, disable=True, noise_sampler=noise_of(name, sigmas), **options)
    torch.testing.assert_close(ours(name, sigmas), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("steps", [7, 8, 9])
def test_dpm_fast_agrees(steps: int) -> None:
    sigmas = SCHEDULES["karras"](LEVELS, steps)
    expected = k_diffusion.sample_dpm_fast(denoise, start(), sigmas[-2], sigmas[0], steps, disable=True)
    torch.testing.assert_close(ours("dpm_fast", sigmas), expected, atol=1e-5, rtol=1e-5)


def test_dpm_adaptive_agrees() -> None:
    sigmas = SCHEDULES["karras"](LEVELS, 8)
    expected = k_diffusion.sample_dpm_adaptive(denoise, start(), sigmas[-2], sigmas[0], disable=True)
    torch.testing.assert_close(ours("dpm_adaptive", sigmas), expected, atol=1e-5, rtol=1e-5)
