"""Laws of samplers, schedules and guiders that packs bring: they are what ours are, in both directions."""

import sys
from importlib import import_module
from itertools import pairwise

import pytest
import torch

from models.patches.perp_neg import PerpNegGuidance
from models.sampling.guidance import ClassifierFree, DualClassifierFree, Guider, Unguided
from models.sampling.noise import RandomNoise
from models.sampling.run import ksampler_sigmas, sample
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import SCHEDULES
from nodes.spec import Choice
from nodes.v1.guiders import CFGGuider
from nodes.v1.runtime import NotOfferedError
from nodes.v1.values import to_foreign, to_ours
from tests.nodes.v1.studio import BLANK, CFG, MASKED, SEED, SIGMAS, assert_close, studios


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    yield from studios(tmp_path_factory.mktemp("own_samplers"), "own_samplers.py")


@pytest.mark.parametrize("latent", [BLANK, MASKED], ids=["blank", "masked"])
@pytest.mark.parametrize(
    ("kind", "ours"),
    [("euler", "euler"), ("subclass", "euler"), ("ancestral", "euler_ancestral"), ("cfg_pp", "euler_cfg_pp")],
)
def test_a_sampler_written_for_k_diffusion_is_ours_of_the_same_method(studio, kind, ours, latent):
    found = studio.sampled(studio.run("Test Makes", kind=kind), latent)
    assert_close(found, studio.sampled(SAMPLERS[ours], latent))


def test_options_of_a_packs_sampler_count(studio):
    plain, stretched = (studio.sampled(studio.run("Test Makes", kind=kind)) for kind in ("euler", "stretched"))
    assert not torch.allclose(plain, stretched, atol=1e-2)


@pytest.mark.parametrize("name", ["euler", "euler_ancestral", "dpmpp_2m", "dpmpp_sde", "euler_cfg_pp", "ddim"])
def test_a_sampler_of_ours_is_itself_behind_a_packs_model(studio, name):
    wrapped = studio.run("Test Wraps", sampler=SAMPLERS[name], change=0.0)
    assert_close(studio.sampled(wrapped, MASKED), studio.sampled(SAMPLERS[name], MASKED))
    changed = studio.run("Test Wraps", sampler=SAMPLERS[name], change=0.3)
    assert not torch.allclose(studio.sampled(changed), studio.sampled(SAMPLERS[name]), atol=1e-3)


@pytest.mark.parametrize("how", ["library", "guider", "ksampler"])
def test_a_pack_samples_with_our_samplers_what_our_node_samples(studio, how):
    sigmas = SCHEDULES["normal"](studio.model.sampling.levels, 3)
    found = studio.run(
        "Test Runs", model=studio.model, positive=studio.positive, negative=studio.negative, how=how,
        sampler=SAMPLERS["euler"], sigmas=sigmas, latent=MASKED,
    )  # fmt: skip
    expected = studio.sampled(SAMPLERS["euler"], MASKED, sigmas=sigmas)
    assert_close(found.samples, expected)


def test_names_that_a_pack_adds_are_shown_and_run_by_our_nodes(studio):
    registry = studio.bench.registry
    for id in ("KSampler", "KSamplerAdvanced", "KSamplerSelect"):
        widget = registry[id].input("sampler_name").widget
        assert isinstance(widget, Choice)
        assert widget.options == (*SAMPLERS, *(name for name in widget.options if name.startswith("test_")))
        assert {"test_euler", "test_ancestral", "test_dice"} < set(widget.options)
    assert "test_halving" in registry["BasicScheduler"].input("scheduler").widget.options
    chosen = studio.run("KSamplerSelect", sampler_name="test_euler")
    assert_close(studio.sampled(chosen), studio.sampled(SAMPLERS["euler"]))
    inputs = {
        "model": studio.model, "seed": SEED, "steps": 3, "cfg": CFG, "positive": studio.positive,
        "negative": studio.negative, "latent_image": BLANK, "denoise": 1.0,
    }  # fmt: skip
    theirs = studio.run("KSampler", **inputs, sampler_name="test_euler", scheduler="test_halving")
    largest = studio.model.sampling.levels.sigma_max
    halving = torch.tensor([largest, largest / 2, largest / 4, 0.0])
    assert_close(theirs.samples, studio.sampled(SAMPLERS["euler"], sigmas=halving))


def test_torchs_own_noise_in_a_packs_sampler_follows_from_the_seed(studio):
    dice = studio.run("KSamplerSelect", sampler_name="test_dice")
    torch.manual_seed(1)
    before = torch.get_rng_state()
    found = studio.sampled(dice)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(SEED)
    torch.randn(found.shape)  # the first noise of the picture, after which packs take the generator to go on
    expected = studio.model.latent_format.raw(torch.randn(found.shape))
    torch.set_rng_state(before)
    torch.testing.assert_close(found, expected)


def test_the_steps_that_a_pack_tells_are_those_of_the_schedule(studio):
    def uneven(model, x, sigmas, extra_args, callback, disable):
        for step in (0, 0, 2, 5):
            callback({"x": x, "i": step, "sigma": sigmas[0], "sigma_hat": sigmas[0], "denoised": x})
        return x

    walker = to_ours(sys.modules["comfy.samplers"].KSAMPLER(uneven))
    guidance, steps = ClassifierFree(studio.positive, studio.negative, CFG), []
    noise = torch.ones(1, 4, 8, 8)
    sample(studio.model, noise, BLANK.samples, guidance, walker, SIGMAS, SEED, each=steps.append)
    assert [(step.index, step.total) for step in steps] == [(0, 3), (0, 3), (2, 3), (2, 3)]


def test_noise_that_a_pack_brings_takes_the_place_of_ours(studio):
    functions = sys.modules["comfy.k_diffusion.sampling"]

    def quiet(options):
        def function(model, x, sigmas, extra_args=None, callback=None, disable=None):
            return functions.sample_euler_ancestral(model, x, sigmas, extra_args, callback, True, **options)

        return studio.sampled(to_ours(sys.modules["comfy.samplers"].KSAMPLER(function)))

    without = quiet({"noise_sampler": lambda sigma, sigma_next: torch.zeros(1, 4, 8, 8)})
    assert_close(without, quiet({"s_noise": 0.0}))
    assert not torch.allclose(without, quiet({}), atol=1e-3)
    with pytest.raises(NotOfferedError, match=r"the option s_churn=0\.5 of comfy\.k_diffusion\.sampling\.sample_euler"):
        functions.sample_euler(None, torch.zeros(1), SIGMAS, s_churn=0.5)


@pytest.mark.parametrize("kind", ["plain", "interval", "by hand"])
@pytest.mark.parametrize("sampler", ["euler", "euler_cfg_pp"])
def test_a_packs_guider_of_the_usual_formula_guides_as_ours(studio, kind, sampler):
    guider = studio.run(
        "Test Guides", model=studio.model, positive=studio.positive, negative=studio.negative, cfg=CFG, kind=kind
    )
    assert_close(studio.sampled(SAMPLERS[sampler], guider=guider), studio.sampled(SAMPLERS[sampler]))


def test_a_packs_sampler_under_a_packs_guider_is_ours_under_ours(studio):
    guider = studio.run(
        "Test Guides", model=studio.model, positive=studio.positive, negative=studio.negative, cfg=CFG, kind="by hand"
    )
    for kind, ours in (("euler", "euler"), ("cfg_pp", "euler_cfg_pp")):
        found = studio.sampled(studio.run("Test Makes", kind=kind), guider=guider)
        assert_close(found, studio.sampled(SAMPLERS[ours]))


def test_what_a_packs_guider_does_around_a_run_is_done_around_each_of_ours(studio):
    guider = studio.run(
        "Test Guides", model=studio.model, positive=studio.positive, negative=studio.negative, cfg=CFG, kind="by hand"
    )
    assert guider.theirs.runs == 0
    studio.sampled(SAMPLERS["euler"], guider=guider)
    assert guider.theirs.told == SIGMAS.tolist()
    studio.sampled(studio.run("KSamplerSelect", sampler_name="test_ancestral"), guider=guider, sigmas=SIGMAS[1:])
    assert guider.theirs.told == SIGMAS[1:].tolist()
    assert guider.theirs.runs == 2
    assert not hasattr(guider.theirs, "inner_model")  # what was sampled can go from memory


def test_a_packs_guider_is_told_of_each_run_anew(studio):
    guider = studio.run(
        "Test Guides", model=studio.model, positive=studio.positive, negative=studio.negative, cfg=CFG, kind="by hand"
    )
    guidance = guider.theirs.as_guidance()
    for sigmas in (SIGMAS, SIGMAS[1:]):
        studio.sampled(SAMPLERS["euler"], guider=Guider(studio.model, guidance), sigmas=sigmas)
        assert guider.theirs.told == sigmas.tolist()


def test_a_method_that_a_pack_replaces_in_one_guider_counts(studio):
    handle = to_foreign(Guider(studio.model, ClassifierFree(studio.positive, studio.negative, CFG)))
    calls, original = [], handle.predict_noise

    def counted(*arguments, **named):
        calls.append(named["model_options"]["transformer_options"].keys())
        return original(*arguments, **named)

    handle.predict_noise = counted
    assert_close(studio.sampled(SAMPLERS["euler"], guider=to_ours(handle)), studio.sampled(SAMPLERS["euler"]))
    assert calls == [{"sample_sigmas"}] * 3


def test_what_a_packs_guider_says_at_each_sigma_counts(studio):
    guider = studio.run(
        "Test Guides", model=studio.model, positive=studio.positive, negative=studio.negative, cfg=CFG, kind="never"
    )
    unguided = Guider(studio.model, Unguided(studio.positive))
    assert_close(studio.sampled(SAMPLERS["euler"], guider=guider), studio.sampled(SAMPLERS["euler"], guider=unguided))


def test_guiders_and_samplers_of_ours_come_back_from_packs_as_they_were(studio):
    positive, negative = studio.positive, studio.negative
    for guidance in (Unguided(positive), DualClassifierFree(positive, positive, negative, 2.0, 3.0)):
        handle = to_foreign(Guider(studio.model, guidance))
        assert isinstance(handle, CFGGuider)
        assert to_ours(handle).guidance is guidance
    back = to_ours(to_foreign(Guider(studio.model, ClassifierFree(positive, negative, 2.0)))).guidance
    assert (back.positive, back.negative, back.cfg) == (positive, negative, 2.0)
    assert to_ours(to_foreign(SAMPLERS["dpmpp_2m"])) is SAMPLERS["dpmpp_2m"]


@pytest.mark.parametrize("sampler", ["euler", "test_euler"])
def test_a_pack_walks_a_part_of_the_steps_that_denoise_leaves(studio, sampler):
    common, handle = import_module("nodes").common_ksampler, to_foreign(studio.model)
    prompts = to_foreign(studio.positive), to_foreign(studio.negative)

    def walked(latent, **options):
        return common(handle, SEED, 4, CFG, sampler, "normal", *prompts, latent, denoise=0.5, **options)[0]

    start = {"samples": torch.ones(1, 4, 8, 8), "mine": 1}
    whole = walked(dict(start))
    sigmas = ksampler_sigmas(studio.model, "normal", 4, 0.5, "euler")
    assert_close(whole["samples"], studio.sampled(SAMPLERS["euler"], to_ours(start), sigmas=sigmas))
    half = walked(dict(start), start_step=0, last_step=2)
    rest = walked(half, disable_noise=True, start_step=2, last_step=4)
    assert rest["mine"] == 1
    assert_close(rest["samples"], whole["samples"])
    assert not torch.allclose(half["samples"], whole["samples"], atol=1e-3)
    ended = walked(dict(start), start_step=0, last_step=2, force_full_denoise=True)
    ending = torch.cat([sigmas[:2], sigmas[-1:]])
    assert_close(ended["samples"], studio.sampled(SAMPLERS["euler"], to_ours(start), sigmas=ending))


def test_a_function_that_a_pack_puts_in_the_place_of_a_samplers_for_a_while_counts_then(studio):
    functions, common = sys.modules["comfy.k_diffusion.sampling"], import_module("nodes").common_ksampler
    prompts, latent = (to_foreign(studio.positive), to_foreign(studio.negative)), {"samples": BLANK.samples}
    original, calls = functions.sample_euler, []

    def counted(model, x, sigmas, extra_args=None, callback=None, disable=None):
        for pair in pairwise(sigmas):
            calls.append(pair)
            x = original(model, x, torch.stack(pair), extra_args, callback, True)
        return x

    arguments = (to_foreign(studio.model), SEED, 3, CFG, "euler", "normal", *prompts, latent)
    expected = common(*arguments)[0]["samples"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "sample_euler", counted)
        found = common(*arguments)[0]["samples"]
    assert len(calls) == 3
    assert_close(found, expected)


def test_guiders_and_noise_beside_comfyuis_nodes_are_those_of_ours(studio):
    extras, handle = sys.modules["comfy_extras.nodes_custom_sampler"], to_foreign(studio.model)
    prompts = [to_foreign(studio.positive), to_foreign(studio.negative)]
    basic, dual = extras.Guider_Basic(handle), extras.Guider_DualCFG(handle)
    perp_neg = sys.modules["comfy_extras.nodes_perpneg"].Guider_PerpNeg(handle)
    basic.set_conds(prompts[0])
    dual.set_conds(prompts[0], prompts[1], prompts[1])
    dual.set_cfg(2.0, 3.0)
    perp_neg.set_conds(*prompts, prompts[1])
    perp_neg.set_cfg(CFG, 0.5)
    positive, negative = studio.positive, studio.negative
    for theirs, ours in (
        (basic, Unguided(positive)),
        (dual, DualClassifierFree(positive, negative, negative, 2.0, 3.0)),
        (perp_neg, PerpNegGuidance(positive, negative, negative, CFG, 0.5)),
    ):
        found = studio.sampled(SAMPLERS["euler"], guider=to_ours(theirs))
        assert_close(found, studio.sampled(SAMPLERS["euler"], guider=Guider(studio.model, ours)))
    noise = extras.Noise_RandomNoise(SEED).generate_noise({"samples": BLANK.samples})
    assert torch.equal(noise, RandomNoise(SEED).of(BLANK))
