"""What a file says of its predictions."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from models.loading.header import ModelFileError
from models.loading.markers import TELLING_BIAS, is_playground, sampling_of
from models.loading.sources import Source
from models.sampling.continuous_levels import EdmLevels
from models.sampling.denoiser import EpsPrediction, VPrediction
from models.sampling.model_sampling import ModelSampling
from models.sampling.predictions import EdmPrediction
from tests.models.loading.test_joined import FakeFile

EMPTY = torch.zeros(0)


def told(markers: Mapping[str, Tensor]) -> ModelSampling:
    return sampling_of(FakeFile(markers), {}, told_by_bias=False)


def test_a_file_without_marks_predicts_noise() -> None:
    assert isinstance(told({}).prediction, EpsPrediction)


def test_keys_tell_velocity_and_no_signal_at_all() -> None:
    velocity, zero_snr = told({"v_pred": EMPTY}), told({"v_pred": EMPTY, "ztsnr": EMPTY})
    assert isinstance(velocity.prediction, VPrediction)
    assert isinstance(zero_snr.prediction, VPrediction)
    assert velocity.levels.sigma_max == pytest.approx(14.6146, abs=1e-3)
    assert zero_snr.levels.sigma_max > 4000


@pytest.mark.parametrize(("spread", "prediction"), [(0.05, EpsPrediction), (0.2, VPrediction)])
def test_the_spread_of_one_bias_tells_what_stable_diffusion_2_predicts(spread: float, prediction: type) -> None:
    key = f"model.diffusion_model.{TELLING_BIAS}"
    file = FakeFile({key: torch.linspace(-1, 1, 64).sign() * spread})
    sources = {TELLING_BIAS: Source(key)}
    assert type(sampling_of(file, sources, told_by_bias=True).prediction) is prediction
    assert type(sampling_of(file, sources, told_by_bias=False).prediction) is EpsPrediction


def test_keys_tell_the_continuous_levels_of_cosxl() -> None:
    sampling = told({"edm_vpred.sigma_max": torch.tensor(120.0), "edm_vpred.sigma_min": torch.tensor(0.002)})
    assert isinstance(sampling.prediction, VPrediction)
    assert sampling.levels == EdmLevels(pytest.approx(0.002), 120.0)


@pytest.mark.parametrize("largest", [torch.tensor(0.0), torch.tensor(-1.0), torch.tensor(float("nan")), torch.ones(2)])
def test_levels_that_are_no_range_are_refused(largest: Tensor) -> None:
    with pytest.raises(ModelFileError, match=r"are no range|instead of one"):
        told({"edm_vpred.sigma_max": largest})


def test_keys_tell_playground() -> None:
    markers = {"edm_mean": torch.zeros(1, 4, 1, 1), "edm_std": torch.ones(1, 4, 1, 1)}
    assert is_playground(FakeFile(markers).shapes)
    assert not is_playground({"edm_mean": (1,)})
    assert told(markers).prediction == EdmPrediction(0.5)
    assert told(markers).levels == EdmLevels(0.002, 80.0)
