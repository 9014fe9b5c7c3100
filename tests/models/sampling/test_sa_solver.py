"""Laws of SA-Solver: its weights are exact, its noise comes where it is asked for, and it walks as published."""

from functools import partial
from math import exp
from typing import Any

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.sampling.noise import generated
from models.sampling.samplers.common import no_noise
from models.sampling.samplers.sa_solver import adams_weights, sa_solver
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import karras_between
from tests.models.sampling import gaussian
from tests.models.sampling.fakes import Both

LEVELS = discrete_levels(scaled_linear_alphas_bar())


@pytest.mark.parametrize("rate", [1.0, 2.0])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("corrector", [False, True])
def test_weights_integrate_polynomials_exactly(count: int, rate: float, corrector: bool) -> None:
    start, end = 0.4, 1.1
    times = [end, start, -0.1, -0.9, -1.2, -2.0, -2.5][0 if corrector else 1 :][:count]
    weights = adams_weights(times, start, end, rate)
    for power in range(count):
        integral = quad(lambda at, n=power: rate * exp(-rate * (end - at)) * at**n, start, end)[0]
        assert sum(w * t**power for w, t in zip(weights, times, strict=True)) == pytest.approx(integral)


def test_weights_of_a_long_step_keep_their_sum() -> None:
    (weight,) = adams_weights([0.0], 0.0, 12.0, 2.0)
    assert weight == pytest.approx(1 - exp(-24.0))


def test_noise_is_asked_for_in_its_interval_alone() -> None:
    asked: list[float] = []

    def noise(sigma: Tensor, sigma_next: Tensor) -> Tensor:
        asked.append(float(sigma_next))
        return torch.zeros(())

    sigmas = torch.tensor([10.0, 8.0, 5.0, 2.0, 1.0, 0.5, 0.0])
    list(sa_solver(gaussian.denoise, torch.ones(1, 1, 1, 1), sigmas, noise, start=5.0, end=1.0))
    assert asked == [5.0, 2.0, 1.0]


def test_the_table_takes_noise_from_a_fifth_to_four_fifths_of_the_way() -> None:
    options = {name: option(LEVELS) for name, option in SAMPLERS["sa_solver"].sigma_options.items()}
    assert options == {"start": LEVELS.sigma_at_percent(0.2), "end": LEVELS.sigma_at_percent(0.8)}


@pytest.mark.parametrize("use_pece", [False, True])
def test_with_noise_all_the_way_it_reverses_the_noising_of_data_in_distribution(use_pece: bool) -> None:
    sigmas = torch.logspace(1, -1, 151)
    before, after = (gaussian.SPREAD**2 + 100) ** 0.5, (gaussian.SPREAD**2 + 0.01) ** 0.5
    x = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0)) * before
    *_, state = sa_solver(gaussian.denoise, x, sigmas, generated(x, sigmas, 1), use_pece=use_pece)
    assert float(state.x.std()) == pytest.approx(after, rel=0.03)
    assert float((state.x * x).mean() / state.x.std() / x.std()) == pytest.approx(after / before, abs=0.02)


def test_evaluating_what_is_corrected_takes_twice_as_many_evaluations_but_the_first() -> None:
    asked: list[float] = []

    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        asked.append(float(sigma))
        return gaussian.denoise(x, sigma)

    sigmas = karras_between(0.1, 10.0, 6)
    list(SAMPLERS["sa_solver_pece"](Both(denoise), torch.ones(1, 1, 1, 1), sigmas, 0))
    assert len(asked) == 11
    assert asked[0] > asked[1] == asked[2]


def test_with_its_usual_orders_and_no_noise_it_is_of_third_order() -> None:
    """Its first step is of first order, and the corrector makes that the second."""

    def error(steps: int) -> float:
        sigmas, x = gaussian.sigmas(steps), torch.ones(1, 1, 1, 1, dtype=torch.float64)
        *_, state = sa_solver(gaussian.denoise, x, sigmas, no_noise, eta=0.0, use_pece=True)
        return abs(float(state.x - gaussian.flow(x, sigmas[0], sigmas[-1])))

    assert error(500) / error(1000) == pytest.approx(2**3, rel=0.1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("tau", [0.0, 1.0])
@pytest.mark.parametrize("orders", [(1, 2), (2, 2), (3, 3), (3, 4)])
def test_it_walks_as_the_scheduler_of_diffusers(orders: tuple[int, int], tau: float) -> None:
    """Theirs is in the coordinates x / √(1 + σ²), and has no lower orders where a schedule ends above zero."""
    theirs: Any = pytest.importorskip("diffusers").SASolverScheduler(
        predictor_order=orders[0],
        corrector_order=orders[1],
        tau_func=lambda timestep: torch.tensor(tau, dtype=torch.float64),
        lower_order_final=False,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
    )
    sigmas = karras_between(0.1, 10.0, 9)[:-1].double()
    start = torch.randn(1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * sigmas[0]
    theirs.set_timesteps(len(sigmas) - 1)
    theirs.sigmas = sigmas
    sample, chance = start / (1 + sigmas[0] ** 2).sqrt(), torch.Generator().manual_seed(8)
    for sigma, timestep in zip(sigmas, theirs.timesteps, strict=False):
        x = sample * (1 + sigma**2).sqrt()
        noise = (x - gaussian.denoise(x, sigma)) / sigma
        sample = theirs.step(noise, timestep, sample, generator=chance).prev_sample

    ours_chance = torch.Generator().manual_seed(8)
    draw = partial(torch.randn, start.shape, generator=ours_chance, dtype=torch.float64)
    *_, state = sa_solver(
        gaussian.denoise,
        start,
        sigmas,
        lambda sigma, sigma_next: draw(),
        eta=tau,
        predictor_order=orders[0],
        corrector_order=orders[1],
        simple_order_2=True,
    )
    torch.testing.assert_close(state.x, sample * (1 + sigmas[-1] ** 2).sqrt(), atol=1e-6, rtol=1e-6)
