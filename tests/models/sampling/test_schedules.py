"""Laws of the schedules."""

import dataclasses
import math

import numpy
import pytest
import torch
from scipy.stats import beta as beta_distribution

from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar, with_zero_terminal_snr
from models.sampling.schedules import (
    SCHEDULES,
    beta,
    beta_quantiles,
    ddim_uniform,
    exponential,
    karras,
    kl_optimal,
    linear_quadratic,
    normal,
    sgm_uniform,
    simple,
    variance_preserving,
)

LEVELS = discrete_levels(scaled_linear_alphas_bar())


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 20, 50, 150])
@pytest.mark.parametrize("name", list(SCHEDULES))
def test_every_schedule_falls_to_zero(name, steps):
    sigmas = SCHEDULES[name](LEVELS, steps)
    assert sigmas.dtype == torch.float32
    assert sigmas[-1] == 0
    assert (sigmas[:-1] > sigmas[1:]).all()
    if name not in ("ddim_uniform", "beta"):
        assert len(sigmas) == steps + 1


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"ddim_uniform"}))
def test_schedules_begin_at_the_largest_sigma(name):
    for steps in (1, 5, 20):
        assert float(SCHEDULES[name](LEVELS, steps)[0]) == pytest.approx(LEVELS.sigma_max, rel=1e-5)


@pytest.mark.parametrize("schedule", [normal, karras, exponential, kl_optimal])
def test_some_schedules_visit_the_smallest_sigma(schedule):
    assert float(schedule(LEVELS, 9)[-2]) == pytest.approx(LEVELS.sigma_min, rel=1e-4)


def timesteps(sigmas):
    return LEVELS.timestep(sigmas[:-1]).tolist()


def test_the_timesteps_of_four_steps():
    assert timesteps(simple(LEVELS, 4)) == [999, 749, 499, 249]
    assert timesteps(normal(LEVELS, 4)) == [999, 666, 333, 0]
    assert timesteps(ddim_uniform(LEVELS, 4)) == [751, 501, 251, 1]


def test_simple_rounds_only_what_its_stride_has_come_to():
    assert timesteps(simple(LEVELS, 7)) == [999, 857, 714, 571, 428, 285, 142]
    assert timesteps(simple(LEVELS, 30))[-2:] == [66, 33]


@pytest.mark.parametrize(("alpha", "beta"), [(0.6, 0.6), (0.5, 1.5)])
def test_quantiles_are_rounded_to_the_nearest_timestep(alpha, beta):
    quantiles = beta_distribution.ppf(1 - numpy.arange(12) / 12, alpha, beta) * 999
    assert timesteps(beta_quantiles(LEVELS, 12, alpha, beta)) == [round(quantile) for quantile in quantiles]


def test_beta_visits_the_quantiles_of_its_distribution():
    shares = beta_distribution.cdf(numpy.array(timesteps(beta(LEVELS, 5))) / 999, 0.6, 0.6)
    assert shares == pytest.approx([1, 0.8, 0.6, 0.4, 0.2], abs=1e-3)


def test_sgm_uniform_leaves_the_last_timestep_out():
    assert timesteps(sgm_uniform(LEVELS, 5)) == [999, 799, 599, 400, 200]  # 999 · (1, 0.8, 0.6, 0.4, 0.2)


def test_ddim_takes_more_steps_where_they_do_not_divide_the_timesteps():
    assert len(ddim_uniform(LEVELS, 30)) == 32
    assert timesteps(ddim_uniform(LEVELS, 30))[-2:] == [34, 1]


def test_beta_takes_fewer_steps_where_quantiles_round_to_the_same_timestep():
    assert len(beta(LEVELS, 900)) < 901


def test_karras_is_even_in_the_seventh_root():
    roots = karras(LEVELS, 6)[:-1].double() ** (1 / 7)
    torch.testing.assert_close(roots.diff(), roots.diff().mean().expand(5), atol=1e-5, rtol=1e-4)


def test_exponential_is_even_in_the_logarithm():
    steps = exponential(LEVELS, 6)[:-1].log().diff()
    torch.testing.assert_close(steps, steps.mean().expand(5))


def test_kl_optimal_is_even_in_the_arctangent():
    steps = kl_optimal(LEVELS, 6)[:-1].atan().diff()
    torch.testing.assert_close(steps, steps.mean().expand(5), atol=1e-5, rtol=1e-4)


def test_linear_quadratic_is_linear_first_and_meets_without_a_kink():
    way = 1 - linear_quadratic(LEVELS, 20).double() / LEVELS.sigma_max
    torch.testing.assert_close(way[:11], torch.linspace(0, 0.025, 11).double(), atol=1e-6, rtol=0)
    second = way[10:].diff().diff()
    torch.testing.assert_close(second, second.mean().expand(9), atol=1e-6, rtol=0)  # a parabola
    assert float(way[11] - way[10]) == pytest.approx(0.0025 + float(second.mean()) / 2, abs=1e-6)


@pytest.mark.parametrize("zero_snr", [False, True])
def test_kl_optimal_takes_its_angles_in_single_precision(zero_snr):
    alphas_bar = scaled_linear_alphas_bar()
    levels = discrete_levels(with_zero_terminal_snr(alphas_bar) if zero_snr else alphas_bar)
    share = torch.arange(7, dtype=torch.float32) / 6
    angles = share * math.atan(levels.sigma_min) + (1 - share) * math.atan(levels.sigma_max)
    assert torch.equal(kl_optimal(levels, 7)[:-1], torch.tan(angles))


def test_linear_quadratic_rounds_its_way_before_it_scales_it():
    for steps in (2, 3, 20, 31):
        relative = linear_quadratic(dataclasses.replace(LEVELS, sigmas=torch.tensor([0.01, 1.0])), steps)
        assert torch.equal(linear_quadratic(LEVELS, steps), relative * LEVELS.sigmas[-1])


def test_the_last_sigma_of_a_variance_preserving_diffusion_is_rounded_as_published():
    time = torch.linspace(1, 1e-3, 12)
    published = torch.sqrt(torch.exp(19.9 * time**2 / 2 + 0.1 * time) - 1)
    assert torch.equal(variance_preserving(12)[:-1], published)


def test_a_model_whose_smallest_sigma_is_zero_gets_no_second_zero():
    class EndsAtZero:
        sigmas = LEVELS.sigmas
        sigma_min, sigma_max = 0.0, 1.0

        def timestep(self, sigma):
            return sigma * 1000

        def sigma(self, timestep):
            return timestep / 1000

        def sigma_at_percent(self, percent):
            return 1 - percent

    torch.testing.assert_close(normal(EndsAtZero(), 4), torch.tensor([1.0, 0.75, 0.5, 0.25, 0.0]))


def test_zero_terminal_snr_raises_the_first_sigma_only_slightly_changing_the_last():
    levels = discrete_levels(with_zero_terminal_snr(scaled_linear_alphas_bar()))
    sigmas = normal(levels, 10)
    assert float(sigmas[0]) > 4000
    assert math.isclose(float(sigmas[-2]), LEVELS.sigma_min, rel_tol=1e-3)
