"""Laws of the denoiser: a network that predicts perfectly finds the clean latent."""

import pytest
import torch

from models.sampling.denoiser import EpsPrediction, VPrediction, is_largest
from models.sampling.evaluation import ConditionedDenoiser
from models.sampling.inputs import Inputs
from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar

LEVELS = discrete_levels(scaled_linear_alphas_bar())
INPUTS = Inputs(torch.zeros(2, 3, 8))


@pytest.fixture
def clean():
    return torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def noise():
    return torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("timestep", [0, 500, 999])
def test_a_network_that_predicts_the_noise_finds_the_clean_latent(clean, noise, timestep):
    sigma = LEVELS.sigmas[timestep]
    denoise = ConditionedDenoiser(lambda x, timesteps, context: noise, EpsPrediction(), LEVELS)
    torch.testing.assert_close(denoise(clean + sigma * noise, sigma, INPUTS), clean, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("timestep", [0, 500, 999])
def test_a_network_that_predicts_the_velocity_finds_the_clean_latent(clean, noise, timestep):
    sigma = LEVELS.sigmas[timestep]
    root_alpha_bar, root_rest = (1 / (1 + sigma**2)).sqrt(), (sigma**2 / (1 + sigma**2)).sqrt()
    velocity = root_alpha_bar * noise - root_rest * clean
    denoise = ConditionedDenoiser(lambda x, timesteps, context: velocity, VPrediction(), LEVELS)
    torch.testing.assert_close(denoise(clean + sigma * noise, sigma, INPUTS), clean, atol=1e-5, rtol=1e-4)


def test_the_network_sees_unit_variance_and_the_timestep(clean, noise):
    seen = []

    def network(x, timesteps, context):
        seen.append((x, timesteps))
        return x

    sigma = LEVELS.sigmas[700]
    ConditionedDenoiser(network, EpsPrediction(), LEVELS)(clean + sigma * noise, sigma, INPUTS)
    x, timesteps = seen[0]
    assert x.var() == pytest.approx(1, abs=0.15)
    assert timesteps.tolist() == [700.0, 700.0]
    assert timesteps.dtype == torch.float32


def test_only_the_network_computes_in_half_precision(clean):
    seen = []

    def network(x, timesteps, context):
        seen.extend([x.dtype, context.dtype, timesteps.dtype])
        return x

    denoise = ConditionedDenoiser(network, EpsPrediction(), LEVELS, torch.bfloat16)
    assert denoise(clean, LEVELS.sigmas[9], INPUTS).dtype == torch.float32
    assert seen == [torch.bfloat16, torch.bfloat16, torch.float32]


def test_what_is_raised_before_an_evaluation_spares_it(clean):
    def stop():
        raise InterruptedError

    def network(x, timesteps, context):
        raise AssertionError("evaluated")

    denoise = ConditionedDenoiser(network, EpsPrediction(), LEVELS, before_evaluation=stop)
    with pytest.raises(InterruptedError):
        denoise(clean, LEVELS.sigmas[9], INPUTS)


def test_pure_noise_has_the_variance_of_noise_and_latent_together():
    prediction, sigma = EpsPrediction(), torch.tensor(2.0)
    latent, noise = torch.zeros(1), torch.ones(1)
    assert float(prediction.noised(latent, noise, sigma, from_pure_noise=True)) == pytest.approx(5**0.5)
    assert float(prediction.noised(latent + 1, noise, sigma, from_pure_noise=False)) == 3


@pytest.mark.parametrize(
    ("sigma", "expected"), [(14.6146, True), (14.6147, True), (20.0, True), (14.61, False), (1.0, False)]
)
def test_the_largest_sigma_is_told_up_to_rounding(sigma, expected):
    assert is_largest(torch.tensor(sigma), LEVELS.sigma_max) is expected
