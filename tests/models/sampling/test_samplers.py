"""Laws of the samplers, on a diffusion that can be solved exactly and against the published formulas."""

from functools import partial
from math import exp

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.sampling.noise import brownian, generated
from models.sampling.samplers import dpmpp, multistep, one_step, unipc
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import exponential_between, karras
from tests.models.sampling import gaussian, published

STOCHASTIC = [name for name, sampler in SAMPLERS.items() if sampler.noise is not None]

REVERSING = [name for name in STOCHASTIC if name != "lcm" and not name.endswith("_gpu")]
"""Those that walk the reverse of noising: lcm jumps, and the _gpu names are the same on a CPU."""


def silent(sigma: Tensor, sigma_next: Tensor) -> Tensor:
    raise AssertionError("no noise is asked for where eta is 0")


def last(states) -> Tensor:
    *_, state = states
    return state.x


def error(walk, steps: int) -> float:
    x = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    sigmas = gaussian.sigmas(steps)
    return abs(float(last(walk(gaussian.denoise, x, sigmas)) - gaussian.flow(x, sigmas[0], sigmas[-1])))


@pytest.mark.parametrize(
    ("walk", "order"),
    [
        (one_step.euler, 1),
        (one_step.heun, 2),
        (one_step.heunpp2, 1),
        (one_step.dpm_2, 2),
        (multistep.lms, 2),  # its first steps have fewer slopes to go by
        (dpmpp.dpmpp_2m, 2),
        (partial(dpmpp.dpmpp_2m_sde, noise=silent, eta=0), 2),
        (partial(dpmpp.dpmpp_2m_sde, noise=silent, eta=0, solver="heun"), 2),
        (dpmpp.res_multistep, 2),
        (unipc.uni_pc, 2),
        (partial(unipc.uni_pc, variant="bh2"), 2),
    ],
)
def test_halving_the_step_divides_the_error_by_two_to_the_order(walk, order):
    assert error(walk, 400) / error(walk, 800) == pytest.approx(2**order, rel=0.1)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_multistep_weights_integrate_polynomials_exactly(count):
    visited, end = [1.0, 1.7, 3.1, 5.0][:count], 0.4
    weights = multistep.adams_bashforth_weights(visited, end)
    for power in range(count):
        integral = (end ** (power + 1) - visited[0] ** (power + 1)) / (power + 1)
        assert sum(w * s**power for w, s in zip(weights, visited, strict=True)) == pytest.approx(integral)


@pytest.mark.parametrize("ratios", [[1.0], [-0.8], [-0.8, 1.0], [-0.8, -2.1, 1.0]])
def test_unipc_weights_integrate_polynomials_exactly(ratios):
    """With u the share of a step of z in log σ, an estimate uⁿ adds ∫₀¹ −z e^(z (1 − u)) uⁿ du."""
    z = -0.4
    weights = unipc.integrating_weights(ratios, z)
    for power in range(1, len(ratios) + 1):
        integral = quad(lambda u, n=power: -z * exp(z * (1 - u)) * u**n, 0, 1)[0]
        assert sum(w * r ** (power - 1) for w, r in zip(weights, ratios, strict=True)) == pytest.approx(integral)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_every_sampler_lands_on_its_last_estimate_at_zero_noise(name):
    sigmas = exponential_between(0.03, 14.6, 6)
    states = list(SAMPLERS[name](lambda x, sigma: torch.full_like(x, 0.7), torch.randn(2, 4, 4, 4), sigmas, 0))
    assert len(states) == 6
    near_zero = unipc.LAST_SIGMA  # where UniPC ends
    torch.testing.assert_close(states[-1].x, torch.full((2, 4, 4, 4), 0.7), atol=near_zero, rtol=0)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("name", list(SAMPLERS))
def test_few_steps_are_enough(name, steps):
    sigmas = exponential_between(0.03, 14.6, steps) if steps > 1 else torch.tensor([14.6, 0.0])
    assert last(SAMPLERS[name](gaussian.denoise, torch.randn(1, 4, 4, 4), sigmas, 0)).isfinite().all()


@pytest.mark.parametrize("name", REVERSING)
def test_stochastic_samplers_reverse_the_noising_of_data_in_distribution(name):
    steps = 150 if SAMPLERS[name].noise is generated else 24  # Brownian noise takes long to draw
    sigmas = torch.logspace(1, -1, steps + 1)
    deviation, deviation_after = (gaussian.SPREAD**2 + 100) ** 0.5, (gaussian.SPREAD**2 + 0.01) ** 0.5
    x = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0)) * deviation
    after = last(SAMPLERS[name](gaussian.denoise, x, sigmas, 1))
    correlation = (after * x).mean() / after.std() / x.std()
    assert float(after.std()) == pytest.approx(deviation_after, rel=0.03)
    assert float(after.mean()) == pytest.approx(0, abs=0.03)
    assert float(correlation) == pytest.approx(deviation_after / deviation, abs=0.02)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_the_seed_decides_the_noise(name):
    sigmas, x = exponential_between(0.03, 14.6, 5), torch.randn(1, 4, 4, 4)
    first, again, other = (last(SAMPLERS[name](gaussian.denoise, x, sigmas, seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def curved(x: Tensor, sigma: Tensor) -> Tensor:
    """A denoiser without symmetries: channels mix and saturate."""
    mix = torch.linspace(-0.6, 0.8, 16, dtype=x.dtype).reshape(4, 4)
    scaled = x / (1 + sigma**2).sqrt()
    return 0.3 * x / (1 + sigma**2) + 1.2 * torch.einsum("bchw,cd->bdhw", scaled, mix).tanh()


def doubles() -> tuple[Tensor, Tensor]:
    """A schedule and a start in float64, where other orders of the same operations differ by next to nothing."""
    sigmas = karras(discrete_levels(scaled_linear_alphas_bar()), 9).double()
    return sigmas, torch.randn(2, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * sigmas[0]


@pytest.mark.parametrize("name", ["heun", "heunpp2", "dpmpp_2m", "res_multistep"])
def test_deterministic_samplers_agree_with_the_published_ones(name):
    sigmas, x = doubles()
    expected = getattr(published, name)(curved, x, sigmas)
    torch.testing.assert_close(last(SAMPLERS[name](curved, x, sigmas, 0)), expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("euler_ancestral", generated),
        ("ddpm", generated),
        ("lcm", generated),
        ("dpm_2_ancestral", generated),
        ("res_multistep_ancestral", generated),
        ("dpmpp_2s_ancestral", generated),
        ("dpmpp_sde", generated),
        ("dpmpp_2m_sde", brownian),
        ("dpmpp_3m_sde", brownian),
    ],
)
def test_stochastic_samplers_agree_with_the_published_ones(name, source):
    sigmas, x = doubles()
    expected = getattr(published, name)(curved, x, sigmas, source(x, sigmas, 5))
    actual = last(SAMPLERS[name].walk(curved, x, sigmas, source(x, sigmas, 5)))
    torch.testing.assert_close(actual, expected, atol=1e-9, rtol=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["dpmpp_sde", "dpmpp_2m_sde", "dpmpp_3m_sde"])
def test_a_brownian_walk_stays_within_its_tree(name):
    sigmas = karras(discrete_levels(scaled_linear_alphas_bar()), 9)
    last(SAMPLERS[name](curved, torch.randn(1, 4, 4, 4), sigmas, 0))
