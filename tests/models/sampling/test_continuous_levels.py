"""Laws of noise levels that are not numbered: timesteps and sigmas tell each other, percents span the range."""

from functools import partial

import pytest
import torch

from models.sampling.continuous_levels import (
    EdmLevels,
    ExplodingFlowLevels,
    FlowLevels,
    VelocityLevels,
    exponential_shift,
    flux_mu,
    shift,
)
from models.sampling.levels import NoiseLevels, discrete_levels, distilled, scaled_linear_alphas_bar
from models.sampling.schedules import SCHEDULES

RANGES = [EdmLevels(0.002, 120.0), VelocityLevels(0.03, 500.0), ExplodingFlowLevels(0.002, 80.0)]
FLOWS = [
    FlowLevels(partial(shift, by=3.0)),
    FlowLevels(partial(shift, by=1.73), 1.0),
    FlowLevels(partial(exponential_shift, mu=1.15), 1.0, 10000),
]


@pytest.mark.parametrize("levels", RANGES)
def test_timesteps_and_sigmas_tell_each_other(levels: NoiseLevels) -> None:
    sigmas = levels.sigmas.double()
    torch.testing.assert_close(levels.sigma(levels.timestep(sigmas)), sigmas, rtol=1e-4, atol=0)


@pytest.mark.parametrize("levels", [*RANGES, *FLOWS])
def test_levels_rise_and_end_at_their_extremes(levels: NoiseLevels) -> None:
    assert bool((levels.sigmas.diff() > 0).all())
    assert float(levels.sigmas[0]) == pytest.approx(levels.sigma_min)
    assert float(levels.sigmas[-1]) == pytest.approx(levels.sigma_max)


@pytest.mark.parametrize("levels", [*RANGES, *FLOWS])
def test_percents_fall_from_beyond_the_first_sigma_to_zero(levels: NoiseLevels) -> None:
    found = [levels.sigma_at_percent(percent) for percent in (0.0, 0.001, 0.25, 0.5, 0.999, 1.0)]
    assert found == sorted(found, reverse=True)
    assert found[0] >= levels.sigma_max
    assert found[-1] == 0


@pytest.mark.parametrize("levels", RANGES)
def test_half_of_the_way_is_the_middle_in_log_sigma(levels: NoiseLevels) -> None:
    assert levels.sigma_at_percent(0.5) ** 2 == pytest.approx(levels.sigma_min * levels.sigma_max)


def test_shifts_keep_the_ends_and_agree() -> None:
    times = torch.linspace(0.01, 1, 50)
    torch.testing.assert_close(shift(times, 2.0), exponential_shift(times, float(torch.tensor(2.0).log())))
    assert float(shift(torch.tensor(1.0), 7.0)) == 1
    assert float(shift(torch.tensor(0.0), 7.0)) == 0
    assert float(exponential_shift(torch.tensor(0.0), 1.0)) == 0
    assert shift(times, 1.0) is times


def test_a_flow_tells_its_network_sigma_times_the_multiplier() -> None:
    sigma = torch.tensor([0.25, 1.0])
    assert FLOWS[0].timestep(sigma).tolist() == [250.0, 1000.0]
    assert FLOWS[1].timestep(sigma).tolist() == [0.25, 1.0]


def test_flux_shifts_by_how_many_tokens_a_picture_has() -> None:
    assert flux_mu(256, 256, 0.5, 1.15) == pytest.approx(0.5)
    assert flux_mu(1024, 1024, 0.5, 1.15) == pytest.approx(1.15)
    assert flux_mu(1024, 512, 0.5, 1.15) == pytest.approx(0.5 + 0.65 * (2048 - 256) / 3840)


@pytest.mark.parametrize("schedule", list(SCHEDULES))
@pytest.mark.parametrize("levels", [*RANGES, *FLOWS])
def test_every_schedule_falls_to_zero_on_all_levels(levels: NoiseLevels, schedule: str) -> None:
    sigmas = SCHEDULES[schedule](levels, 10)
    assert sigmas[-1] == 0
    assert bool((sigmas.diff() < 0).all())
    assert float(sigmas[0]) <= levels.sigma_max * 1.0001


def test_distilled_levels_are_every_twentieth_and_keep_their_timesteps() -> None:
    levels = discrete_levels(scaled_linear_alphas_bar())
    known = distilled(levels)
    assert len(known.sigmas) == 50
    assert known.timestep(known.sigmas).tolist() == list(range(19, 1000, 20))
    assert torch.equal(known.sigmas, levels.sigmas[19::20])
    torch.testing.assert_close(known.sigma(torch.tensor([19.0, 999.0])), levels.sigmas[[19, 999]])
    assert known.sigma_at_percent(0.5) == pytest.approx(float(known.sigma(torch.tensor(499.5))))
