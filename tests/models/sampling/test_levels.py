"""Laws of the noise levels."""

import pytest
import torch

from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar, with_zero_terminal_snr


@pytest.fixture
def levels():
    return discrete_levels(scaled_linear_alphas_bar())


def test_the_extremes_are_those_of_stable_diffusion(levels):
    assert levels.sigma_max == pytest.approx(14.6146, abs=1e-4)
    assert levels.sigma_min == pytest.approx(0.02917, abs=1e-5)
    assert len(levels.sigmas) == 1000


def test_timesteps_and_sigmas_are_each_others_inverse_where_trained(levels):
    timesteps = torch.arange(1000)
    torch.testing.assert_close(levels.sigma(timesteps), levels.sigmas)
    assert torch.equal(levels.timestep(levels.sigmas), timesteps)


def test_between_timesteps_the_logarithm_is_linear(levels):
    expected = (levels.sigmas[10].log() * 0.75 + levels.sigmas[11].log() * 0.25).exp()
    torch.testing.assert_close(levels.sigma(torch.tensor(10.25)), expected)


def test_a_sigma_outside_the_table_has_the_timestep_of_its_end(levels):
    assert levels.timestep(torch.tensor([1e-6, 1e6])).tolist() == [0, 999]
    torch.testing.assert_close(levels.sigma(torch.tensor([-5.0, 2000.0])), levels.sigmas[[0, -1]])


def test_percents_run_from_above_every_sigma_to_zero(levels):
    assert levels.sigma_at_percent(0) > levels.sigma_max
    assert levels.sigma_at_percent(1) == 0
    assert levels.sigma_at_percent(0.5) == pytest.approx(float(levels.sigma(torch.tensor(499.5))))


def test_zero_terminal_snr_keeps_the_first_and_empties_the_last():
    original = scaled_linear_alphas_bar()
    rescaled = with_zero_terminal_snr(original)
    assert rescaled[0] == pytest.approx(float(original[0]))
    assert (rescaled[:-1] > rescaled[1:]).all()
    assert discrete_levels(rescaled).sigma_max == pytest.approx(4518, rel=1e-3)
