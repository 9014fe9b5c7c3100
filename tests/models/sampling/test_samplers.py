"""Laws of the samplers, on a diffusion that can be solved exactly and against the published formulas."""

from functools import partial
from math import exp

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.sampling.noise import brownian, generated
from models.sampling.samplers import deis, dpm, dpmpp, ipndm, multistep, one_step, sa_solver, sde, unipc
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import exponential_between, karras
from tests.models.sampling import gaussian, published, published_slopes
from tests.models.sampling.fakes import Both

STOCHASTIC = [name for name, sampler in SAMPLERS.items() if sampler.noise is not None]

MIXING = "dpmpp_2s_ancestral_cfg_pp"
"""Mixes estimates of two sigmas as others publish it, and does not follow the flow even without guidance."""

REVERSING = [name for name in STOCHASTIC if name not in ("lcm", MIXING) and not name.endswith("_gpu")]
"""Those that walk the reverse of noising: lcm jumps, and the _gpu names are the same on a CPU."""

CHOOSING = ["dpm_fast", "dpm_adaptive"]
"""Those that choose their own steps and end at the last sigma above zero."""


def silent(sigma: Tensor, sigma_next: Tensor) -> Tensor:
    raise AssertionError("no noise is asked for where eta is 0")


def nothing(sigma: Tensor, sigma_next: Tensor) -> Tensor:
    return torch.zeros(())


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
        (ipndm.ipndm, 2),  # weights of even steps, on steps that are not
        (partial(sa_solver.sa_solver, noise=silent, eta=0, predictor_order=1, corrector_order=0), 1),
        (partial(sa_solver.sa_solver, noise=silent, eta=0, predictor_order=2, corrector_order=0), 2),
        (partial(sa_solver.sa_solver, noise=silent, eta=0, predictor_order=1, corrector_order=2, use_pece=True), 2),
        (
            partial(
                sa_solver.sa_solver, noise=silent, eta=0, predictor_order=2, simple_order_2=True, corrector_order=2
            ),
            2,
        ),
        (deis.deis, 2),  # its first steps have fewer slopes to go by
        (multistep.gradient_estimation, 1),
        (partial(sde.seeds_2, noise=silent, eta=0), 2),
        (partial(sde.seeds_2, noise=silent, eta=0, r=0.3, solver="phi_2"), 2),
        (sde.exp_heun_2_x0, 2),
        (partial(one_step.dpm_2_ancestral, noise=nothing, eta=0), 2),
        (partial(dpmpp.dpmpp_2s_ancestral, noise=nothing, eta=0), 2),
        (partial(dpmpp.dpmpp_sde, noise=nothing, eta=0), 2),
        (partial(dpmpp.dpmpp_3m_sde, noise=silent, eta=0), 2),  # its first steps have fewer estimates
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


def test_the_published_weights_of_ipndm_v_keep_it_of_second_order():
    def error_on_karras(steps: int) -> float:
        sigmas = torch.linspace(10 ** (1 / 7), 0.1 ** (1 / 7), steps + 1, dtype=torch.float64) ** 7
        x = torch.ones(1, 1, 1, 1, dtype=torch.float64)
        return abs(float(last(ipndm.ipndm_v(gaussian.denoise, x, sigmas)) - gaussian.flow(x, sigmas[0], sigmas[-1])))

    assert error_on_karras(400) / error_on_karras(800) == pytest.approx(2**2, rel=0.1)


@pytest.mark.parametrize("walk", [dpm.dpm_fast, partial(sde.seeds_3, noise=silent, eta=0)])
def test_halving_the_step_divides_the_error_of_the_third_order_by_eight(walk):
    assert error(walk, 98) / error(walk, 197) == pytest.approx(2**3, rel=0.1)  # dpm_fast makes 33 and 66 steps of them


@pytest.mark.parametrize("order", [2, 3])
def test_an_adaptive_sampler_keeps_its_tolerance(order):
    walk = partial(dpm.dpm_adaptive, order=order)
    loose, tight = error(walk, 1), error(partial(walk, rtol=1e-5, atol=1e-6), 1)
    assert loose < 0.05
    assert tight < 1e-4
    assert tight < loose / 10


def test_an_adaptive_sampler_tells_how_far_it_came():
    walk = dpm.dpm_adaptive(gaussian.denoise, torch.ones(1, 1, 1, 1), gaussian.sigmas(1))
    ways = [state.way for state in walk if state.way is not None]
    assert ways == sorted(ways)
    assert ways[-1] == pytest.approx(1)


@pytest.mark.parametrize("walk", [dpm.dpm_fast, dpm.dpm_adaptive])
def test_a_sampler_that_chooses_its_steps_says_what_schedule_it_needs(walk):
    with pytest.raises(ValueError, match="take two steps or more"):
        list(walk(gaussian.denoise, torch.ones(1, 1, 1, 1), torch.tensor([14.6, 0.0])))


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_the_first_stage_of_er_sde_with_a_power_is_euler_with_as_much_noise(eta):
    sigmas, x = doubles()
    walk = partial(sde.er_sde, scale=sde.reverse_sde_scale(eta), max_stage=1)
    found = last(walk(curved, x, sigmas, generated(x, sigmas, 5), s_noise=eta))
    expected = last(one_step.euler_ancestral(curved, x, sigmas, generated(x, sigmas, 5), eta))
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-9)


def test_more_stages_of_er_sde_come_nearer():
    errors = []
    for stage in (1, 2, 3):
        walk = partial(sde.er_sde, scale=sde.reverse_sde_scale(0.0), max_stage=stage, s_noise=0.0, noise=silent)
        errors.append(error(walk, 40))
    assert errors[1] < errors[0] / 5
    assert errors[2] < errors[1]


@pytest.mark.parametrize("sigma", [0.03, 1.0, 14.6])
def test_deis_knows_the_time_of_a_sigma(sigma):
    time = deis.time_of(sigma)
    assert exp(deis.BETA_D * time**2 / 2 + deis.BETA_0 * time) - 1 == pytest.approx(sigma**2)


def test_the_times_of_deis_span_the_sigmas_of_karras():
    assert deis.time_of(0.002) == pytest.approx(0.001)
    assert deis.time_of(80.0) == pytest.approx(1.0)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_deis_weights_integrate_polynomials_in_time_exactly(count):
    visited, end = [0.5, 0.6, 0.8][:count], 0.35

    def speed(time: float) -> float:
        exponent = deis.BETA_D * time**2 / 2 + deis.BETA_0 * time
        return exp(exponent) * (deis.BETA_D * time + deis.BETA_0) / (2 * (exp(exponent) - 1) ** 0.5)

    weights = deis.polynomial_weights(visited, end)
    for power in range(count):
        integral = quad(lambda time, n=power: speed(time) * time**n, visited[0], end)[0]
        assert sum(w * t**power for w, t in zip(weights, visited, strict=True)) == pytest.approx(integral, rel=1e-3)


def test_deis_takes_its_integrals_as_the_published_mean_over_ten_thousand_times():
    start, before, end = (deis.time_of(sigma) for sigma in (3.0, 9.0, 1.0))
    times = torch.linspace(start, end, 10_000, dtype=torch.float64)
    growth = (deis.BETA_D * times**2 / 2 + deis.BETA_0 * times).exp()
    speed = growth * (deis.BETA_D * times + deis.BETA_0) / (2 * (growth - 1).sqrt())
    latest = (speed * (times - before) / (start - before)).mean() * (end - start)
    older = (speed * (times - start) / (before - start)).mean() * (end - start)
    found = deis.polynomial_weights([start, before], end)
    assert found == pytest.approx([float(latest), float(older)], rel=1e-9)


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
    denoise = Both(lambda x, sigma: torch.full_like(x, 0.7))
    states = list(SAMPLERS[name](denoise, torch.randn(2, 4, 4, 4), sigmas, 0))
    assert len(states) == 6 or name in CHOOSING
    near_zero = 0.03 if name in CHOOSING else unipc.LAST_SIGMA  # where UniPC ends
    torch.testing.assert_close(states[-1].x, torch.full((2, 4, 4, 4), 0.7), atol=near_zero, rtol=0)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("name", [name for name in SAMPLERS if name not in CHOOSING])
def test_few_steps_are_enough(name, steps):
    sigmas = exponential_between(0.03, 14.6, steps) if steps > 1 else torch.tensor([14.6, 0.0])
    assert last(SAMPLERS[name](Both(gaussian.denoise), torch.randn(1, 4, 4, 4), sigmas, 0)).isfinite().all()


@pytest.mark.parametrize("name", REVERSING)
def test_stochastic_samplers_reverse_the_noising_of_data_in_distribution(name):
    steps = 150 if SAMPLERS[name].noise is generated else 24  # Brownian noise takes long to draw
    sigmas = torch.logspace(1, -1, steps + 1)
    deviation, deviation_after = (gaussian.SPREAD**2 + 100) ** 0.5, (gaussian.SPREAD**2 + 0.01) ** 0.5
    x = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0)) * deviation
    after = last(SAMPLERS[name](Both(gaussian.denoise), x, sigmas, 1))
    assert float(after.std()) == pytest.approx(deviation_after, rel=0.03)
    assert float(after.mean()) == pytest.approx(0, abs=0.03)
    if name not in ("er_sde", "sa_solver", "sa_solver_pece"):  # which renew less of the noise
        correlation = (after * x).mean() / after.std() / x.std()
        assert float(correlation) == pytest.approx(deviation_after / deviation, abs=0.02)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_the_seed_decides_the_noise(name):
    sigmas, x = exponential_between(0.03, 14.6, 5), torch.randn(1, 4, 4, 4)
    first, again, other = (last(SAMPLERS[name](Both(gaussian.denoise), x, sigmas, seed)) for seed in (3, 3, 4))
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


@pytest.mark.parametrize(
    "name", ["heun", "heunpp2", "dpmpp_2m", "res_multistep", "gradient_estimation", "ipndm", "ipndm_v", "dpm_fast"]
)
def test_deterministic_samplers_agree_with_the_published_ones(name):
    sigmas, x = doubles()
    sigmas = sigmas[1:]  # the published dpm_fast is that of 8 evaluations
    expected = getattr(published, name)(curved, x, sigmas)
    torch.testing.assert_close(last(SAMPLERS[name].walk(curved, x, sigmas)), expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("name", ["euler", "dpm_2", "lms", "dpm_adaptive"])
def test_samplers_along_slopes_agree_with_the_published_ones(name):
    sigmas, x = doubles()
    expected = getattr(published_slopes, name)(curved, x, sigmas)
    torch.testing.assert_close(last(SAMPLERS[name].walk(curved, x, sigmas)), expected, atol=1e-7, rtol=1e-7)


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
        ("seeds_2", generated),
    ],
)
def test_stochastic_samplers_agree_with_the_published_ones(name, source):
    sigmas, x = doubles()
    expected = getattr(published, name)(curved, x, sigmas, source(x, sigmas, 5))
    actual = last(SAMPLERS[name].walk(curved, x, sigmas, source(x, sigmas, 5)))
    torch.testing.assert_close(actual, expected, atol=1e-9, rtol=1e-9)


def test_er_sde_agrees_with_the_published_one():
    sigmas, x = doubles()
    expected = published_slopes.er_sde(curved, x, sigmas, generated(x, sigmas, 5))
    actual = last(SAMPLERS["er_sde"].walk(curved, x, sigmas, generated(x, sigmas, 5)))
    torch.testing.assert_close(actual, expected, atol=1e-9, rtol=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["dpmpp_sde", "dpmpp_2m_sde", "dpmpp_3m_sde"])
def test_a_brownian_walk_stays_within_its_tree(name):
    sigmas = karras(discrete_levels(scaled_linear_alphas_bar()), 9)
    last(SAMPLERS[name](Both(curved), torch.randn(1, 4, 4, 4), sigmas, 0))


GUIDED = Both(curved, lambda x, sigma: 0.8 * curved(x, sigma) - 0.1)


@pytest.mark.parametrize("name", ["euler_cfg_pp", "dpmpp_2m_cfg_pp", "res_multistep_cfg_pp"])
def test_cfg_pp_samplers_agree_with_the_published_formulas(name):
    sigmas, x = doubles()
    expected = getattr(published, name)(GUIDED.both, x, sigmas)
    torch.testing.assert_close(last(SAMPLERS[name].walk(GUIDED, x, sigmas)), expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("name", ["euler_ancestral_cfg_pp", "dpmpp_2s_ancestral_cfg_pp"])
def test_the_ancestral_cfg_pp_samplers_agree_with_the_published_formulas(name):
    sigmas, x = doubles()
    expected = getattr(published, name)(GUIDED.both, x, sigmas, generated(x, sigmas, 5))
    actual = last(SAMPLERS[name].walk(GUIDED, x, sigmas, generated(x, sigmas, 5)))
    torch.testing.assert_close(actual, expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name.endswith("_cfg_pp") and name != MIXING])
def test_without_guidance_a_cfg_pp_sampler_is_its_plain_counterpart(name):
    sigmas, x = doubles()
    plain = last(SAMPLERS[name.removesuffix("_cfg_pp")](Both(curved), x, sigmas, 5))
    torch.testing.assert_close(last(SAMPLERS[name](Both(curved), x, sigmas, 5)), plain, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name.endswith("_cfg_pp")])
def test_guidance_tells_a_cfg_pp_sampler_apart(name):
    sigmas, x = doubles()
    plain, own = (last(SAMPLERS[one](GUIDED, x, sigmas, 5)) for one in (name.removesuffix("_cfg_pp"), name))
    assert not torch.allclose(plain, own)
