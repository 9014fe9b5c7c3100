"""Laws of the samplers on rectified flows: where the latent fades in as the noise fades out."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from models.sampling.noise import generated
from models.sampling.samplers import dpmpp, one_step
from models.sampling.samplers.process import EXPLODING, FLOWING
from models.sampling.samplers.ratios import from_finite_ratio
from models.sampling.samplers.table import SAMPLERS
from tests.models.sampling import gaussian_flow
from tests.models.sampling.fakes import Both

SAMPLING = gaussian_flow.SAMPLING
CHOOSING = ["dpm_fast", "dpm_adaptive"]
"""Those that choose their own steps."""

DETERMINISTIC = [name for name, one in SAMPLERS.items() if one.noise is None and name not in CHOOSING]
STOCHASTIC = [name for name, one in SAMPLERS.items() if one.noise is not None and not name.endswith("_gpu")]
DISTRIBUTED = [name for name in STOCHASTIC if name not in ("lcm", "dpmpp_2s_ancestral_cfg_pp")]
"""Those that reverse the noising: lcm jumps, and the other mixes estimates of two sigmas."""


def walked(name: str, x: Tensor, sigmas: Tensor, denoise=gaussian_flow.denoise) -> Tensor:
    *_, state = SAMPLERS[name](Both(denoise), x, sigmas, 1, SAMPLING)
    return state.x


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_deterministic_samplers_follow_the_flow(name: str) -> None:
    sigmas = torch.linspace(0.95, 0.05, 81, dtype=torch.float64)
    x = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    exact = gaussian_flow.transported(x, sigmas[0], sigmas[-1])
    torch.testing.assert_close(walked(name, x, sigmas), exact, atol=0.02, rtol=0)


@pytest.mark.parametrize("name", DISTRIBUTED)
def test_stochastic_samplers_reverse_the_mixing_in_distribution(name: str) -> None:
    steps = 24 if SAMPLERS[name].noise is not generated else 120  # Brownian noise takes long to draw
    sigmas = torch.linspace(0.97, 0.05, steps + 1)
    before, after = gaussian_flow.variance(sigmas[0]).sqrt(), gaussian_flow.variance(sigmas[-1]).sqrt()
    x = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0)) * before
    reached = walked(name, x, sigmas)
    assert float(reached.std()) == pytest.approx(float(after), rel=0.03)
    assert float(reached.mean()) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_every_sampler_starts_at_pure_noise_and_lands_on_its_last_estimate(name: str) -> None:
    sigmas = torch.tensor([1.0, 0.9, 0.7, 0.4, 0.1, 0.005, 0.0])
    reached = walked(name, torch.randn(2, 4, 4, 4), sigmas, lambda x, sigma: torch.full_like(x, 0.7))
    torch.testing.assert_close(reached, torch.full((2, 4, 4, 4), 0.7), atol=0.03, rtol=0)


@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_an_ancestral_step_ends_with_the_noise_of_its_sigma(eta: float) -> None:
    sigma, sigma_next = torch.tensor(0.8), torch.tensor(0.5)
    down, keep, up = FLOWING.ancestral(sigma, sigma_next, eta)
    assert float((1 - down) * keep) == pytest.approx(1 - 0.5)
    assert float((down * keep) ** 2 + up**2) == pytest.approx(0.5**2)
    assert float(down) == pytest.approx(0.5 * (1 + (0.5 / 0.8 - 1) * eta))


@pytest.mark.parametrize("process", [EXPLODING, FLOWING])
def test_without_eta_an_ancestral_step_adds_nothing(process) -> None:
    down, keep, up = process.ancestral(torch.tensor(0.8), torch.tensor(0.5), 0.0)
    assert (float(down), float(keep), float(up)) == (0.5, 1.0, 0.0)


def test_renewing_more_noise_than_there_is_renews_all() -> None:
    down, keep, up = FLOWING.ancestral(torch.tensor(0.8), torch.tensor(0.5), 100.0)
    assert (float(down), float(keep), float(up)) == (0.0, 0.5, 0.5)


def test_the_middle_of_a_step_halves_the_way_in_log_ratios() -> None:
    middle = FLOWING.middle(torch.tensor(0.9), torch.tensor(0.2))
    ratios = [float(sigma / (1 - sigma)) for sigma in (torch.tensor(0.9), middle, torch.tensor(0.2))]
    assert ratios[1] ** 2 == pytest.approx(ratios[0] * ratios[2])


def test_pure_noise_has_a_finite_stand_in() -> None:
    sigmas = torch.tensor([1.0, 0.5, 0.0])
    first = SAMPLING.levels.sigma_at_percent(1e-4)
    assert from_finite_ratio(sigmas, SAMPLING.levels).tolist() == pytest.approx([first, 0.5, 0.0])
    assert from_finite_ratio(sigmas[1:], SAMPLING.levels).tolist() == [0.5, 0.0]
    assert float(FLOWING.middle(sigmas[0], sigmas[1])) == pytest.approx(0.9999, abs=1e-7)


def test_a_walk_in_ratios_is_the_published_walk_in_log_snr() -> None:
    """DPM-Solver++(2M) for the reverse SDE with α = 1 − σ and λ = log(α / σ), as its paper states it."""
    sigmas = torch.tensor([0.9, 0.7, 0.4, 0.15], dtype=torch.float64)
    x = torch.randn(1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    noise, before, h_before, expected = generated(x, sigmas, 1), None, None, x
    for sigma, following in pairwise(sigmas):
        estimate = gaussian_flow.denoise(expected, sigma)
        h = following.logit().neg() + sigma.logit()
        gain = (1 - following) * (1 - torch.exp(-2 * h))
        expected = (following / sigma) * torch.exp(-h) * expected + gain * estimate
        if before is not None and h_before is not None:
            expected = expected + 0.5 * gain * (estimate - before) * h / h_before
        expected = expected + following * (1 - torch.exp(-2 * h)).sqrt() * noise(sigma, following)
        before, h_before = estimate, h
    sampler = type(SAMPLERS["dpmpp_2m_sde"])(dpmpp.dpmpp_2m_sde, generated, "ratios")
    *_, state = sampler(Both(gaussian_flow.denoise), x, sigmas, 1, SAMPLING)
    torch.testing.assert_close(state.x, expected, atol=1e-9, rtol=1e-9)


def test_an_ancestral_walk_is_the_published_one() -> None:
    sigmas = torch.tensor([0.9, 0.7, 0.4, 0.15, 0.0], dtype=torch.float64)
    x = torch.randn(1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    noise, expected = generated(x, sigmas, 1), x
    for sigma, following in pairwise(sigmas):
        estimate = gaussian_flow.denoise(expected, sigma)
        down = following * following / sigma
        expected = (down / sigma) * expected + (1 - down / sigma) * estimate
        if following > 0:
            scale = (1 - following) / (1 - down)
            expected = scale * expected + (following**2 - (down * scale) ** 2).sqrt() * noise(sigma, following)
    *_, state = one_step.euler_ancestral(gaussian_flow.denoise, x, sigmas, generated(x, sigmas, 1), process=FLOWING)
    torch.testing.assert_close(state.x, expected, atol=1e-9, rtol=1e-9)
