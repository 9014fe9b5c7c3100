"""Sigmas as nodes make, cut and change them."""

import math

import pytest
import torch

from models.sampling.align_your_steps import OPTIMAL
from models.sampling.schedules import SCHEDULES
from nodes import schedulers, sigmas
from nodes.context import Context
from tests.models.sampling.fakes import model_of

MODEL = model_of(lambda x, timesteps, context: x)
LEVELS = MODEL.sampling.levels
FIVE = torch.tensor([8.0, 4.0, 2.0, 1.0, 0.0])


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_the_basic_scheduler_gives_the_named_schedule(name: str, context: Context) -> None:
    found = schedulers.basic_scheduler(model=MODEL, scheduler=name, steps=6, context=context)
    assert torch.equal(found, SCHEDULES[name](LEVELS, 6))


def test_schedulers_with_their_defaults_walk_the_models_sigmas() -> None:
    torch.testing.assert_close(schedulers.karras_scheduler(9), SCHEDULES["karras"](LEVELS, 9), rtol=1e-4, atol=0)
    exponential = SCHEDULES["exponential"](LEVELS, 9)
    torch.testing.assert_close(schedulers.exponential_scheduler(9), exponential, rtol=1e-4, atol=0)
    torch.testing.assert_close(schedulers.polyexponential_scheduler(9), exponential, rtol=1e-4, atol=0)
    beta = schedulers.beta_sampling_scheduler(model=MODEL, steps=9)
    torch.testing.assert_close(beta, SCHEDULES["beta"](LEVELS, 9))


def test_polyexponential_falls_as_a_power_in_the_logarithm() -> None:
    found = schedulers.polyexponential_scheduler(3, sigma_max=math.e, sigma_min=1 / math.e, rho=2.0)
    torch.testing.assert_close(found[:-1].log(), torch.tensor([1.0, 2 * 0.25 - 1, -1.0]))


def test_laplace_is_symmetric_around_its_middle_and_has_no_zero() -> None:
    found = schedulers.laplace_scheduler(5, sigma_max=1e4, sigma_min=1e-4, mu=0.3, beta=0.5)
    torch.testing.assert_close(found.log() + found.log().flip(0), torch.full((5,), 0.6))
    assert float(found[1]) == pytest.approx(math.exp(0.3 + 0.5 * math.log(2)), rel=1e-4)  # the quartile
    assert schedulers.laplace_scheduler(5)[[0, -1]].tolist() == pytest.approx([14.614642, 0.0291675])


def test_variance_preserving_sigmas_are_those_of_the_integrated_noise() -> None:
    found = schedulers.vp_scheduler(3, beta_d=10.0, beta_min=1.0, eps_s=0.5)
    expected = [math.sqrt(math.exp(5 * t * t + t) - 1) for t in (1.0, 0.75, 0.5)]
    assert found.tolist() == pytest.approx([*expected, 0.0])


@pytest.mark.parametrize(
    ("steps", "denoise", "timesteps"),
    [(1, 1.0, [999]), (4, 1.0, [999, 899, 799, 699]), (2, 0.5, [499, 399]), (4, 0.2, [199, 99]), (3, 0.0, [])],
)
def test_turbo_walks_its_own_timesteps(steps: int, denoise: float, timesteps: list[int]) -> None:
    found = schedulers.sd_turbo_scheduler(model=MODEL, steps=steps, denoise=denoise)
    torch.testing.assert_close(found, torch.cat([LEVELS.sigmas[timesteps], torch.zeros(1)]))


@pytest.mark.parametrize(
    ("family", "timesteps"),
    [
        ("SD1", [999, 850, 736, 645, 545, 455, 343, 233, 124, 24, 0]),
        ("SDXL", [999, 845, 730, 587, 443, 310, 193, 116, 53, 13, 0]),
    ],
)
def test_align_your_steps_are_sigmas_of_the_published_timesteps(family: str, timesteps: list[int]) -> None:
    torch.testing.assert_close(torch.tensor(OPTIMAL[family]), LEVELS.sigmas[timesteps])
    found = schedulers.align_your_steps_scheduler(family, 10)
    torch.testing.assert_close(found, torch.tensor([*OPTIMAL[family][:-1], 0.0]))


def test_align_your_steps_walks_a_share_of_its_own_steps() -> None:
    whole = schedulers.align_your_steps_scheduler("SD1", 10)
    assert torch.equal(schedulers.align_your_steps_scheduler("SD1", 10, 0.77), whole[-9:])
    assert len(schedulers.align_your_steps_scheduler("SD1", 10, 0.0)) == 0


def test_align_your_steps_of_other_counts_lie_between_in_the_logarithm() -> None:
    found = schedulers.align_your_steps_scheduler("SD1", 20)
    best = torch.tensor(OPTIMAL["SD1"])
    torch.testing.assert_close(found[:-1:2], best[:-1])
    torch.testing.assert_close(found[1], (best[0] * best[1]).sqrt())
    assert torch.equal(schedulers.align_your_steps_scheduler("SD1", 20, 0.3), found[-7:])
    assert len(schedulers.align_your_steps_scheduler("SD1", 20, 0.0)) == 0


def test_what_a_schedule_divides_by_may_not_be_zero() -> None:
    with pytest.raises(ValueError, match="rho is 0: it must be above 0"):
        schedulers.karras_scheduler(rho=0.0)
    with pytest.raises(ValueError, match="sigma_min is 0"):
        schedulers.exponential_scheduler(sigma_min=0.0)


@pytest.mark.parametrize(
    ("step", "high", "low"),
    [(0, [8], [8, 4, 2, 1, 0]), (2, [8, 4, 2], [2, 1, 0]), (4, [8, 4, 2, 1, 0], [0]), (9, [8, 4, 2, 1, 0], [])],
)
def test_both_parts_of_a_split_have_the_sigma_at_the_cut(step: int, high: list[float], low: list[float]) -> None:
    parts = sigmas.split_sigmas(FIVE, step)
    assert (parts.high_sigmas.tolist(), parts.low_sigmas.tolist()) == (high, low)


@pytest.mark.parametrize(
    ("denoise", "low"), [(1.0, [8, 4, 2, 1, 0]), (0.7, [4, 2, 1, 0]), (0.3, [1, 0]), (0.1, [0]), (0.0, [0])]
)
def test_a_split_by_denoise_leaves_that_share_of_the_steps_low(denoise: float, low: list[float]) -> None:
    parts = sigmas.split_sigmas_denoise(FIVE, denoise)
    assert parts.low_sigmas.tolist() == low
    assert parts.high_sigmas.tolist() == FIVE.tolist()[: len(FIVE) - len(low) + 1]


def test_flipped_sigmas_begin_above_zero() -> None:
    assert sigmas.flip_sigmas(FIVE).tolist() == pytest.approx([0.0001, 1, 2, 4, 8])
    assert sigmas.flip_sigmas(FIVE[:2]).tolist() == [4, 8]
    assert len(sigmas.flip_sigmas(FIVE[:0])) == 0


def test_the_first_sigma_is_replaced_in_a_copy() -> None:
    assert sigmas.set_first_sigma(FIVE, 9.0).tolist() == [9, 4, 2, 1, 0]
    assert len(sigmas.set_first_sigma(FIVE[:0], 9.0)) == 0
    assert FIVE.tolist() == [8, 4, 2, 1, 0]


@pytest.mark.parametrize(
    ("steps", "start", "end", "spacing", "expected"),
    [
        (2, -1.0, 3.0, "linear", [8, 6, 4, 3, 2, 1, 0]),
        (2, 4.0, 2.0, "linear", [8, 4, 3, 2, 1.5, 1, 0]),
        (1, -1.0, 0.0, "linear", [8, 4, 2, 1, 0]),
        (2, -1.0, 8.0, "cosine", [8, 8 - 4 * math.sin(math.pi / 4), 4, 2, 1, 0]),
        (2, -1.0, 8.0, "sine", [8, 8 - 4 * (1 - math.cos(math.pi / 4)), 4, 2, 1, 0]),
    ],
)
def test_steps_are_divided_between_two_sigmas(steps, start, end, spacing, expected) -> None:
    found = sigmas.extend_intermediate_sigmas(
        sigmas=FIVE, steps=steps, start_at_sigma=start, end_at_sigma=end, spacing=spacing
    )
    assert found.tolist() == pytest.approx(expected)


def test_sigmas_are_read_from_a_text() -> None:
    assert sigmas.manual_sigmas("14.6, 5;1e-1\n .5 0").tolist() == pytest.approx([14.6, 5, 0.1, 0.5, 0])
    assert sigmas.manual_sigmas().tolist() == [1, 0.5]
    assert len(sigmas.manual_sigmas("")) == 0


@pytest.mark.parametrize("text", ["1, two", "1, nan", "inf"])
def test_a_text_that_is_no_sigmas_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="sigmas is"):
        sigmas.manual_sigmas(text)


def test_the_ends_of_the_way_are_a_bound_or_the_models_own() -> None:
    percents = (0.0, 1.0)
    bounds = [sigmas.sampling_percent_to_sigma(MODEL, percent) for percent in percents]
    own = [sigmas.sampling_percent_to_sigma(MODEL, percent, True) for percent in percents]
    assert bounds[0] > 1e6
    assert bounds[1] == 0
    assert own == [LEVELS.sigma_max, LEVELS.sigma_min]
