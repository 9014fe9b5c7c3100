"""Sampling as a graph of its parts: the same pictures as the plain node, and what only the parts can do."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from models import preview
from models.sampling.noise import initial_noise
from models.sampling.run import ksampler_sigmas
from models.sampling.samplers.table import SAMPLERS, Sampler
from models.types import Latent, Model
from nodes import samplers
from nodes.context import Context
from nodes.custom_sampling import add_noise, disable_noise, random_noise, sampler_custom, sampler_custom_advanced
from nodes.guiders import basic_guider, cfg_guider, dual_cfg_guider, perp_neg_guider
from nodes.sampling import ksampler, ksampler_advanced
from nodes.sigmas import manual_sigmas, split_sigmas
from tests.models.sampling.fakes import FORMAT, Both, model_of, prompt

JPEG = b"\xff\xd8"
LATENT = Latent(torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(2)), batch_index=(3, 1))


def leaning() -> Model:
    """A model that predicts noise in a way that depends on all it is told."""

    def network(x, timesteps, context):
        return (0.7 * x + 0.1 * context.mean(dim=(1, 2)).reshape(-1, 1, 1, 1)).tanh() + timesteps.reshape(
            -1, 1, 1, 1
        ) / 5000

    return model_of(network)


MODEL = leaning()
SIGMAS = ksampler_sigmas(MODEL, "karras", 4, 1.0, "euler")


@pytest.fixture
def quiet(context: Context) -> Context:
    return replace(context, settings=replace(context.settings, preview_method="none"))


def plain(context: Context, **changes: Any) -> Latent:
    values: dict[str, Any] = {"sampler_name": "euler_ancestral", "latent_image": LATENT, "cfg": 3.0} | changes
    return ksampler(
        model=MODEL,
        seed=7,
        steps=4,
        scheduler="karras",
        positive=prompt(1.0),
        negative=prompt(-1.0),
        context=context,
        **values,
    )


@pytest.mark.parametrize("masked", [False, True])
def test_the_parts_paint_what_the_plain_sampler_paints(quiet: Context, masked: bool) -> None:
    mask = torch.zeros(1, 8, 8)
    mask[..., :4] = 1
    latent = replace(LATENT, noise_mask=mask) if masked else LATENT
    expected = plain(quiet, latent_image=latent).samples
    sampler = samplers.ksampler_select("euler_ancestral", context=quiet)
    parts = {"sampler": sampler, "sigmas": SIGMAS, "latent_image": latent, "context": quiet}
    prompts = {"model": MODEL, "positive": prompt(1.0), "negative": prompt(-1.0), "cfg": 3.0}
    custom = sampler_custom(noise_seed=7, **prompts, **parts)
    advanced = sampler_custom_advanced(random_noise(7), cfg_guider(**prompts), **parts)
    assert torch.equal(custom.output.samples, expected)
    assert torch.equal(advanced.output.samples, expected)
    assert advanced.output.batch_index == LATENT.batch_index
    assert torch.equal(advanced.denoised_output.samples, custom.denoised_output.samples)


def test_the_second_output_is_the_last_estimate_without_scale(quiet: Context) -> None:
    high, _ = split_sigmas(SIGMAS, 2)
    found = sampler_custom_advanced(
        random_noise(7), basic_guider(MODEL, prompt(1.0)), SAMPLERS["euler"], high, LATENT, quiet
    )
    one_before = sampler_custom_advanced(
        random_noise(7), basic_guider(MODEL, prompt(1.0)), SAMPLERS["euler"], SIGMAS[:2], LATENT, quiet
    ).output.samples
    slope = (one_before - found.denoised_output.samples) / SIGMAS[1]
    expected = one_before + slope * (SIGMAS[2] - SIGMAS[1])
    torch.testing.assert_close(found.output.samples, expected, rtol=1e-4, atol=1e-4)


def test_without_sigmas_both_outputs_are_the_latent(quiet: Context) -> None:
    guider = basic_guider(MODEL, prompt(1.0))
    found = sampler_custom_advanced(random_noise(7), guider, SAMPLERS["euler"], manual_sigmas(""), LATENT, quiet)
    assert torch.equal(found.output.samples, LATENT.samples)
    assert torch.equal(found.denoised_output.samples, LATENT.samples)


def test_two_runs_without_noise_between_are_one(quiet: Context) -> None:
    guider = basic_guider(MODEL, prompt(1.0))
    euler = SAMPLERS["euler"]
    whole = sampler_custom_advanced(random_noise(7), guider, euler, SIGMAS, LATENT, quiet).output
    high, low = split_sigmas(SIGMAS, 2)
    half = sampler_custom_advanced(random_noise(7), guider, euler, high, LATENT, quiet).output
    rest = sampler_custom_advanced(disable_noise(), guider, euler, low, half, quiet).output
    torch.testing.assert_close(rest.samples, whole.samples, rtol=1e-4, atol=1e-4)
    values = {"model": MODEL, "positive": prompt(1.0), "negative": prompt(0.0), "cfg": 1.0, "context": quiet}
    rest = sampler_custom(add_noise=False, sampler=euler, sigmas=low, latent_image=half, **values).output
    torch.testing.assert_close(rest.samples, whole.samples, rtol=1e-4, atol=1e-4)


def test_no_noise_in_the_advanced_node_leaves_the_latent_alone(quiet: Context) -> None:
    found = ksampler_advanced(
        model=MODEL,
        add_noise="disable",
        noise_seed=7,
        steps=4,
        sampler_name="euler",
        scheduler="karras",
        positive=prompt(1.0),
        negative=prompt(-1.0),
        latent_image=LATENT,
        end_at_step=0,
        return_with_leftover_noise="enable",
        context=quiet,
    )
    assert torch.equal(found.samples, LATENT.samples)


def test_a_dual_guider_with_equal_prompts_is_the_plain_one(quiet: Context) -> None:
    prompts = {"model": MODEL, "negative": prompt(-1.0)}
    one = cfg_guider(positive=prompt(1.0), cfg=3.0, **prompts)
    for style, scales in (("regular", (5.0, 3.0)), ("nested", (5.0, 3.0))):
        two = dual_cfg_guider(
            cond1=prompt(1.0),
            cond2=prompt(1.0),
            cfg_conds=scales[0],
            cfg_cond2_negative=scales[1],
            style=style,  # type: ignore[arg-type]
            **prompts,
        )
        found, expected = (
            sampler_custom_advanced(random_noise(7), guider, SAMPLERS["euler"], SIGMAS, LATENT, quiet).output.samples
            for guider in (two, one)
        )
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_cfg_pp_sampler_says_that_it_needs_a_negative(quiet: Context) -> None:
    guider = basic_guider(MODEL, prompt(1.0))
    with pytest.raises(ValueError, match="use a guider with a negative"):
        sampler_custom_advanced(random_noise(7), guider, SAMPLERS["euler_cfg_pp"], SIGMAS, LATENT, quiet)


def test_added_noise_is_that_between_the_ends_of_the_sigmas() -> None:
    noise = initial_noise(LATENT.samples.shape, 7, LATENT.batch_index)
    for text, level in (("5, 3, 2", 3.0), ("5", 5.0)):
        found = add_noise(MODEL, random_noise(7), manual_sigmas(text), LATENT)
        torch.testing.assert_close(found.samples, LATENT.samples + level * noise / FORMAT.scale)
    assert add_noise(MODEL, random_noise(7), manual_sigmas(""), LATENT) is LATENT


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_progress_and_a_preview_are_told_at_every_step(context: Context, monkeypatch, name: str) -> None:
    monkeypatch.setattr(preview, "LARGEST_SIDE", 8)  # to be quick
    told: list[tuple[int, int]] = []

    def progress(value: int, maximum: int, shown: bytes | None) -> None:
        assert shown
        assert shown.startswith(JPEG)
        told.append((value, maximum))

    plain(replace(context, progress=progress), sampler_name=name)
    assert told[-1] == (4, 4)
    assert told == sorted(told)
    assert {1, 2, 3, 4} == {value for value, _ in told} or name in ("dpm_fast", "dpm_adaptive")


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (samplers.sampler_euler_ancestral(), "euler_ancestral"),
        (samplers.sampler_euler_ancestral(eta=0.0), "euler"),
        (samplers.sampler_euler_ancestral_cfg_pp(), "euler_ancestral_cfg_pp"),
        (samplers.sampler_euler_ancestral_cfg_pp(eta=0.0), "euler_cfg_pp"),
        (samplers.sampler_lms(), "lms"),
        (samplers.sampler_lms(order=1), "euler"),
        (samplers.sampler_dpmpp_2s_ancestral(), "dpmpp_2s_ancestral"),
        (samplers.sampler_dpmpp_sde(noise_device="cpu"), "dpmpp_sde"),
        (samplers.sampler_dpmpp_2m_sde(solver_type="midpoint", noise_device="gpu"), "dpmpp_2m_sde_gpu"),
        (samplers.sampler_dpmpp_2m_sde(solver_type="heun", noise_device="cpu"), "dpmpp_2m_sde_heun"),
        (samplers.sampler_dpmpp_3m_sde(noise_device="cpu"), "dpmpp_3m_sde"),
        (samplers.sampler_dpm_adaptive(), "dpm_adaptive"),
        (samplers.sampler_er_sde(solver_type="ER-SDE"), "er_sde"),
        (samplers.sampler_er_sde(solver_type="Reverse-time SDE", max_stage=1), "euler_ancestral"),
        (samplers.sampler_er_sde(solver_type="ODE", max_stage=1), "euler"),
        (samplers.sampler_seeds_2(solver_type="phi_1"), "seeds_2"),
        (samplers.sampler_seeds_2(solver_type="phi_2", r=1.0), "exp_heun_2_x0_sde"),
        (samplers.sampler_seeds_2(solver_type="phi_2", eta=0.0, r=1.0), "exp_heun_2_x0"),
        (samplers.sampler_sa_solver(model=MODEL, use_pece=False, simple_order_2=False), "sa_solver"),
        (samplers.sampler_sa_solver(model=MODEL, use_pece=True, simple_order_2=False), "sa_solver_pece"),
        (
            samplers.sampler_sa_solver(
                model=MODEL, eta=0.0, predictor_order=1, corrector_order=0, use_pece=False, simple_order_2=False
            ),
            "euler",
        ),
        (samplers.sampler_lcm(), "lcm"),
        (samplers.sampler_euler_cfg_pp(version="regular"), "euler_cfg_pp"),
    ],
)
def test_a_sampler_node_makes_the_sampler_it_names(quiet: Context, made, name: str) -> None:
    guider = cfg_guider(model=MODEL, positive=prompt(1.0), negative=prompt(-1.0), cfg=3.0)
    found, expected = (
        sampler_custom_advanced(random_noise(7), guider, sampler, SIGMAS, LATENT, quiet).output.samples
        for sampler in (made, SAMPLERS[name])
    )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def sampled(context: Context, sampler: Sampler, cfg: float = 1.0, seed: int = 7) -> torch.Tensor:
    guider = cfg_guider(model=MODEL, positive=prompt(1.0), negative=prompt(-1.0), cfg=cfg)
    return sampler_custom_advanced(random_noise(seed), guider, sampler, SIGMAS, LATENT, context).output.samples


def test_the_alternative_euler_cfg_pp_is_euler_without_guidance_and_another_with(quiet: Context) -> None:
    alternative = samplers.sampler_euler_cfg_pp(version="alternative")
    same = cfg_guider(model=MODEL, positive=prompt(1.0), negative=prompt(1.0), cfg=3.0)
    found, euler = (
        sampler_custom_advanced(random_noise(7), same, one, SIGMAS, LATENT, quiet).output.samples
        for one in (alternative, SAMPLERS["euler"])
    )
    torch.testing.assert_close(found, euler, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(sampled(quiet, alternative, 2.0), sampled(quiet, SAMPLERS["euler_cfg_pp"], 2.0))


def test_noise_of_an_lcm_sampler_is_scaled_along_the_way_and_clipped(quiet: Context) -> None:
    silent = samplers.sampler_lcm(s_noise=0.0, s_noise_end=0.0)
    assert torch.equal(sampled(quiet, silent, seed=7), sampled(quiet, silent, seed=7))
    given: list[torch.Tensor] = []

    def ones(x: torch.Tensor, sigmas: torch.Tensor, seed: int):
        return lambda sigma, sigma_next: torch.full_like(x, 3.0).index_fill(0, torch.tensor([1]), -3.0)

    def denoise(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        given.append(x)
        return torch.zeros_like(x)

    made = replace(samplers.sampler_lcm(s_noise=2.0, s_noise_end=1.0, noise_clip_std=0.5), noise=ones)
    sigmas = torch.tensor([8.0, 4.0, 2.0, 1.0, 0.0])
    list(made(Both(denoise), torch.zeros(2, 1, 2, 2), sigmas, 0))
    limit = 0.5 * float(torch.tensor([3.0] * 4 + [-3.0] * 4).std())
    for x, sigma, scale in zip(given[1:], (4.0, 2.0, 1.0), (2.0, 5 / 3, 4 / 3), strict=True):
        torch.testing.assert_close(x[0], torch.full((1, 2, 2), limit * scale * sigma))
        torch.testing.assert_close(x[1], -x[0])


@pytest.mark.parametrize(("steps", "sides"), [(-1, [12, 16, 16, 16]), (1, [16] * 4), (9, [10, 11, 13, 14])])
def test_an_lcm_sampler_grows_the_latent(quiet: Context, steps: int, sides: list[int]) -> None:
    made = samplers.sampler_lcm_upscale(scale_ratio=2.0, scale_steps=steps, upscale_method="bilinear")
    grown = [state.x.shape[-1] for state in made(Both(lambda x, sigma: x / 2), torch.ones(1, 4, 8, 8), SIGMAS, 0)]
    assert grown == sides
    assert sampled(quiet, made).shape[-1] == sides[-1]


def test_growing_by_nothing_is_lcm_with_the_noise_that_follows_the_first(quiet: Context) -> None:
    made = samplers.sampler_lcm_upscale(scale_ratio=1.0, upscale_method="nearest-exact")
    generator = torch.Generator().manual_seed(5)
    torch.randn(1, 4, 8, 8, generator=generator)
    *_, state = made(Both(lambda x, sigma: torch.zeros_like(x)), torch.ones(1, 4, 8, 8), SIGMAS[:2], 5)
    torch.testing.assert_close(state.x, torch.randn(1, 4, 8, 8, generator=generator) * SIGMAS[1])


def test_perp_neg_guides_like_cfg_where_the_negative_is_strange_to_the_positive(quiet: Context) -> None:
    parts = {"model": MODEL, "positive": prompt(1.0), "empty_conditioning": prompt(0.0), "cfg": 3.0}
    unheard = perp_neg_guider(negative=prompt(-1.0), neg_scale=0.0, **parts)
    plain_guider = cfg_guider(model=MODEL, positive=prompt(1.0), negative=prompt(0.0), cfg=3.0)
    found, expected = (
        sampler_custom_advanced(random_noise(7), guider, SAMPLERS["euler"], SIGMAS, LATENT, quiet).output.samples
        for guider in (unheard, plain_guider)
    )
    torch.testing.assert_close(found, expected)


def test_adaptive_steps_with_noise_are_made_with_noise(quiet: Context) -> None:
    guider = basic_guider(MODEL, prompt(1.0))
    sigmas = SIGMAS[:-1]
    made = samplers.sampler_dpm_adaptive(order=2, eta=1.0)
    first, again, other = (
        sampler_custom_advanced(random_noise(seed), guider, made, sigmas, LATENT, quiet).output.samples
        for seed in (7, 7, 8)
    )
    assert first.isfinite().all()
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_options_that_never_take_a_step_are_refused() -> None:
    with pytest.raises(ValueError, match="h_init"):
        samplers.sampler_dpm_adaptive(h_init=0.0)
    with pytest.raises(ValueError, match="r is 0"):
        samplers.sampler_dpmpp_sde(r=0.0, noise_device="cpu")


def test_the_models_sigmas_begin_the_schedule() -> None:
    assert float(SIGMAS[0]) == pytest.approx(MODEL.sampling.levels.sigma_max)
