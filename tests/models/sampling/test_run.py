"""Laws of a whole run: scaling in and out, progress, stopping, and what is left alone."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from models.sampling.continuous_levels import FlowLevels, shift
from models.sampling.guidance import ClassifierFree
from models.sampling.model_sampling import ModelSampling
from models.sampling.noise import initial_noise
from models.sampling.patches import ModelPatches
from models.sampling.predictions import FlowPrediction
from models.sampling.run import ksampler_sigmas, sample
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import normal, simple
from models.types import Model
from tests.models.sampling.fakes import FORMAT, FakeResidence, model_of, prompt

SHAPE = (1, 4, 8, 8)
CHOOSING = ("dpm_fast", "dpm_adaptive")
"""Samplers that choose their own steps."""


def knowing(clean):
    """A network that predicts the noise perfectly, where clean (in model scale) is the only picture there is."""

    def network(x, timesteps, context):
        sigma = levels.sigmas[timesteps.long()].reshape(-1, 1, 1, 1)
        return (x * (1 + sigma**2).sqrt() - clean) / sigma

    levels = model_of(network).sampling.levels
    return model_of(network)


def run(model: Model, latent=None, sampler="euler", steps=4, seed=0, sigmas=None, **options):
    latent = torch.zeros(SHAPE) if latent is None else latent
    sigmas = ksampler_sigmas(model, "normal", steps, 1.0, sampler) if sigmas is None else sigmas
    noise = options.pop("noise", initial_noise(latent.shape, seed))
    return sample(
        model, noise, latent, ClassifierFree(prompt(1.0), prompt(0.0), 7.0), SAMPLERS[sampler], sigmas, seed, **options
    )


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_a_network_that_knows_the_picture_finds_it(sampler):
    clean = torch.randn(SHAPE, generator=torch.Generator().manual_seed(3))
    result = run(knowing(clean), sampler=sampler, steps=8)
    left = (
        5 * model_of(torch.abs).sampling.levels.sigma_min / FORMAT.scale if sampler in CHOOSING else 1e-2
    )  # which end above zero
    torch.testing.assert_close(result, clean / FORMAT.scale, atol=left, rtol=1e-3)


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_some_samplers_skip_the_last_sigma_but_one(sampler):
    model = model_of(torch.abs)
    levels = model.sampling.levels
    found = ksampler_sigmas(model, "normal", 4, 1.0, sampler)
    if sampler in ("dpm_2", "dpm_2_ancestral", "uni_pc", "uni_pc_bh2"):
        assert torch.equal(found, normal(levels, 5)[[0, 1, 2, 3, 5]])
    else:
        assert torch.equal(found, normal(levels, 4))


def test_each_step_tells_where_it_is():
    steps = []
    run(knowing(torch.ones(SHAPE)), steps=4, each=steps.append)
    assert [(step.index, step.total) for step in steps] == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert all(torch.allclose(step.denoised, torch.ones(SHAPE), atol=1e-4) for step in steps)


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_every_sampler_shows_each_of_its_steps(sampler):
    steps = []
    run(knowing(torch.ones(SHAPE)), sampler=sampler, steps=5, each=steps.append)
    told = [step.index for step in steps]
    assert told[-1] == 4
    assert told == (sorted(told) if sampler in CHOOSING else list(range(5)))
    assert all(step.total == 5 and step.denoised.shape == step.x.shape == SHAPE for step in steps)
    torch.testing.assert_close(steps[-1].denoised, torch.ones(SHAPE), atol=0.05, rtol=0)


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_every_sampler_stops_before_its_next_evaluation(sampler):
    asked, evaluated, clean = [], [], torch.ones(SHAPE)
    known = knowing(clean).unet.network  # type: ignore[attr-defined]

    def network(*args, **options):
        evaluated.append(None)
        return known(*args, **options)

    def check():
        if len(asked) == 3:
            raise InterruptedError
        asked.append(None)

    with pytest.raises(InterruptedError):
        run(model_of(network), sampler=sampler, steps=6, before_evaluation=check)
    assert len(evaluated) == 3


def test_full_noise_is_scaled_to_the_largest_sigma():
    seen = []

    def network(x, timesteps, context):
        seen.append(x)
        return x

    run(model_of(network), seed=5, steps=1)
    torch.testing.assert_close(seen[0][:1], initial_noise(SHAPE, 5))


def test_partial_noise_is_added_to_the_scaled_latent():
    model = knowing(torch.zeros(SHAPE))
    sigmas = simple(model.sampling.levels, 8)[-4:]  # sigmas of training, which this network knows exactly
    latent = torch.full(SHAPE, 3.0)
    steps = []
    run(model, latent, sigmas=sigmas, seed=5, each=steps.append)
    expected = (latent * FORMAT.scale + initial_noise(SHAPE, 5) * sigmas[0]) * sigmas[1] / sigmas[0]
    torch.testing.assert_close(steps[0].x, expected, atol=1e-5, rtol=1e-5)


def test_two_halves_of_a_schedule_are_the_whole():
    model = knowing(torch.ones(SHAPE))
    sigmas = ksampler_sigmas(model, "normal", 6, 1.0, "euler")
    whole = run(model, sigmas=sigmas)
    half = run(model, sigmas=sigmas[:4])
    rest = run(model, half, sigmas=sigmas[3:], noise=torch.zeros(SHAPE))
    torch.testing.assert_close(rest, whole)


@pytest.mark.parametrize(("sampler", "seed"), [("euler", 5), ("ddim", 6)])
def test_the_kept_part_is_shown_with_the_initial_noise_but_by_ddim(sampler, seed):
    seen = []

    def network(x, timesteps, context):
        seen.append(x)
        return x

    run(model_of(network), sampler=sampler, seed=5, steps=2, noise_mask=torch.zeros(1, 8, 8))
    sigma = model_of(network).sampling.levels.sigmas[-1]
    expected = initial_noise(SHAPE, seed) * sigma / (1 + sigma**2).sqrt()
    torch.testing.assert_close(seen[0][:1], expected)


def test_two_halves_of_a_flow_are_the_whole():
    flow = ModelSampling(FlowPrediction(), FlowLevels(partial(shift, by=3.0)))
    model = replace(model_of(lambda x, timesteps, context: (0.3 * x).tanh() - 0.2), sampling=flow)
    sigmas = ksampler_sigmas(model, "simple", 6, 1.0, "euler")
    whole = run(model, sigmas=sigmas)
    half = run(model, sigmas=sigmas[:4])
    rest = run(model, half, sigmas=sigmas[3:], noise=torch.zeros(SHAPE))
    torch.testing.assert_close(rest, whole)


@pytest.mark.parametrize("sigmas", [[5.0, 1.0, 0.0, 0.0], [0.0, 1.0], [5.0, -1.0, 0.0], [5.0, float("nan"), 0.0]])
def test_a_sigma_that_no_step_can_begin_at_is_refused(sigmas):
    with pytest.raises(ValueError, match="only the last may be 0"):
        run(knowing(torch.ones(SHAPE)), sigmas=torch.tensor(sigmas))


@pytest.mark.parametrize("count", [0, 1])
def test_without_a_step_the_latent_comes_back_untouched(count):
    latent = torch.full(SHAPE, 3.0)
    result = run(knowing(latent), latent, sigmas=torch.ones(count))
    assert torch.equal(result, latent)


def test_what_the_mask_keeps_comes_back():
    latent = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    for sampler in ("euler", "ddim", "dpmpp_2m"):
        result = run(knowing(torch.ones(SHAPE)), latent, sampler, 6, noise_mask=mask)
        torch.testing.assert_close(result[..., :4], latent[..., :4], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(result[..., 4:], torch.full((1, 4, 8, 4), 2.0), atol=1e-3, rtol=1e-3)


def test_a_models_patch_changes_the_mask_and_knows_the_way():
    latent = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    moments = []

    def open_at_last(mask, moment):
        moments.append(moment)
        return torch.ones_like(mask) if moment.sigma < 1 else mask

    model = replace(knowing(torch.ones(SHAPE)), patches=ModelPatches(mask=open_at_last))
    result = run(model, latent, noise_mask=torch.zeros(1, 1, 8, 8))
    torch.testing.assert_close(result, torch.full(SHAPE, 2.0), atol=1e-3, rtol=1e-3)
    sigmas = moments[0].sigmas
    assert [moment.sigma for moment in moments] == list(sigmas[:-1])
    assert sigmas[-1] == 0


def test_stopping_between_steps_frees_the_network():
    model = knowing(torch.ones(SHAPE))
    residence = model.unet
    assert isinstance(residence, FakeResidence)

    def stop(step):
        assert residence.in_use
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run(model, each=stop)
    assert not residence.in_use


def test_stopping_is_possible_between_the_evaluations_of_a_step():
    evaluations = 0

    def check():
        nonlocal evaluations
        evaluations += 1
        if evaluations == 2:
            raise InterruptedError

    steps = []
    with pytest.raises(InterruptedError):
        run(knowing(torch.ones(SHAPE)), sampler="heun", before_evaluation=check, each=steps.append)
    assert steps == []


def test_a_latent_of_another_family_is_refused():
    with pytest.raises(ValueError, match="latents of 4 channels"):
        run(knowing(torch.ones(SHAPE)), torch.zeros(1, 16, 8, 8))


def test_a_sampler_of_second_order_leaves_the_penultimate_sigma_out():
    model = knowing(torch.ones(SHAPE))
    plain, dropped = (
        ksampler_sigmas(model, "karras", steps, 1.0, name) for steps, name in ((5, "euler"), (4, "dpm_2"))
    )
    assert dropped.tolist() == [*plain[:-2].tolist(), 0.0]
