"""Laws of what networks predict: the perfect network's output leads back to the clean latent."""

import math

import pytest
import torch
from torch import Tensor

from models.sampling.continuous_levels import EdmLevels
from models.sampling.denoiser import EpsPrediction, Prediction, VPrediction
from models.sampling.levels import discrete_levels, distilled, scaled_linear_alphas_bar
from models.sampling.model_sampling import ModelSampling
from models.sampling.predictions import (
    CleanPrediction,
    ConsistencyPrediction,
    EdmPrediction,
    ExplodingFlowPrediction,
    FlowCleanPrediction,
    FlowPrediction,
    PictureToPicture,
)

LEVELS = discrete_levels(scaled_linear_alphas_bar())
SIGMA = torch.tensor(0.7)
LATENT = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(0))
NOISE = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(1))


def edm_target(latent: Tensor, x: Tensor, data: float) -> Tensor:
    """Karras et al., arXiv:2206.00364, section 5: what F is trained to put out."""
    skip, out = data**2 / (SIGMA**2 + data**2), SIGMA * data / (SIGMA**2 + data**2).sqrt()
    return (latent - skip * x) / out


@pytest.mark.parametrize(
    ("prediction", "output"),
    [
        (EpsPrediction(), lambda x: NOISE),
        (VPrediction(), lambda x: -edm_target(LATENT, x, 1.0)),
        (EdmPrediction(0.5), lambda x: edm_target(LATENT, x, 0.5)),
        (CleanPrediction(), lambda x: LATENT),
        (PictureToPicture(), lambda x: LATENT),
        (FlowPrediction(), lambda x: NOISE - LATENT),
        (FlowCleanPrediction(), lambda x: LATENT),
        (ExplodingFlowPrediction(), lambda x: NOISE - LATENT),
    ],
)
def test_a_perfect_output_means_the_clean_latent(prediction: Prediction, output) -> None:
    x = prediction.noised(LATENT, NOISE, SIGMA, from_pure_noise=False)
    torch.testing.assert_close(prediction.denoised(output(x), x, SIGMA), LATENT)


@pytest.mark.parametrize("data", [0.5, 1.0])
def test_networks_of_exploding_variance_are_fed_unit_variance(data: float) -> None:
    latent, noise = torch.randn(1, 4, 64, 64) * data, torch.randn(1, 4, 64, 64)
    prediction = EdmPrediction(data)
    x = prediction.noised(latent, noise, SIGMA, from_pure_noise=False)
    assert float(prediction.network_input(x, SIGMA).std()) == pytest.approx(1, rel=0.03)


def test_a_flow_walked_as_exploding_feeds_its_network_the_flow() -> None:
    sigma = SIGMA / (1 + SIGMA)
    prediction, flow = ExplodingFlowPrediction(), FlowPrediction()
    fed = prediction.network_input(prediction.noised(LATENT, NOISE, SIGMA, from_pure_noise=False), SIGMA)
    torch.testing.assert_close(fed, flow.noised(LATENT, NOISE, sigma, from_pure_noise=False))


def test_a_flow_that_ends_early_brings_the_latent_to_scale_one() -> None:
    x = FlowPrediction().noised(LATENT, torch.zeros_like(NOISE), SIGMA, from_pure_noise=False)
    torch.testing.assert_close(FlowPrediction().ended(x, SIGMA), LATENT)
    assert FlowPrediction().ended(x, torch.tensor(1.0)) is x
    assert EpsPrediction().ended(x, SIGMA) is x


def test_a_consistency_model_is_bound_to_its_input_at_the_first_timestep() -> None:
    prediction = ConsistencyPrediction(levels=LEVELS)
    nearest = LEVELS.sigmas[0]
    torch.testing.assert_close(prediction.denoised(NOISE, LATENT, nearest), LATENT)


def test_a_consistency_model_weighs_by_its_scaled_timestep() -> None:
    known = distilled(LEVELS)
    found = ConsistencyPrediction(levels=known).denoised(NOISE, LATENT, known.sigmas[2])
    time = 10.0 * 59
    skip, out = 0.25 / (time**2 + 0.25), time / math.sqrt(time**2 + 0.25)
    torch.testing.assert_close(found, skip * LATENT + out * (LATENT - known.sigmas[2] * NOISE))


def test_a_consistency_model_without_levels_says_so() -> None:
    with pytest.raises(ValueError, match="none are known"):
        ConsistencyPrediction().denoised(NOISE, LATENT, SIGMA)


def test_only_flows_are_mixed_as_flows() -> None:
    flows = [FlowPrediction(), FlowCleanPrediction()]
    others = [EpsPrediction(), VPrediction(), EdmPrediction(), PictureToPicture(), ExplodingFlowPrediction()]
    levels = EdmLevels(0.01, 10)
    assert all(ModelSampling(one, levels).is_flow for one in flows)
    assert not any(ModelSampling(one, levels).is_flow for one in others)
