"""Laws of the wrappers of comfy.patcher_extension, around evaluations and around the network."""

import sys
from dataclasses import replace

import pytest
import torch

from models.sampling.guidance import ClassifierFree, Guider
from models.sampling.patches import ModelPatches
from models.sampling.samplers.table import SAMPLERS
from models.unet_patches import Residuals
from nodes.v1.runtime import NotOfferedError
from nodes.v1.values import to_foreign, to_ours
from tests.nodes.v1.studio import BLANK, CFG, MASKED, SEED, SIGMAS, assert_close, studios

EULER = SAMPLERS["euler"]
PLACES = ["APPLY_MODEL", "DIFFUSION_MODEL"]
"""Inside a run."""


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    yield from studios(tmp_path_factory.mktemp("wrappers"), "own_samplers.py")


@pytest.fixture
def extension(studio):
    return sys.modules["comfy.patcher_extension"]


def wrapped(studio, extension, place, *wrappers):
    handle = to_foreign(studio.model).clone()
    for number, wrapper in enumerate(wrappers):
        handle.add_wrapper_with_key(getattr(extension.WrappersMP, place), f"key {number}", wrapper)
    return to_ours(handle)


def through(executor, *arguments, **named):
    return executor(*arguments, **named)


@pytest.mark.parametrize("place", ["OUTER_SAMPLE", *PLACES])
@pytest.mark.parametrize("latent", [BLANK, MASKED], ids=["blank", "masked"])
def test_wrappers_that_only_call_through_change_nothing(studio, extension, place, latent):
    found = studio.sampled(EULER, latent, model=wrapped(studio, extension, place, through, through))
    assert_close(found, studio.sampled(EULER, latent))


def test_wrappers_are_called_in_their_order_around_each_other(studio, extension):
    order = []

    def noting(name):
        def wrapper(executor, *arguments, **named):
            order.append(name)
            return executor(*arguments, **named)

        return wrapper

    handle = to_foreign(studio.model).clone()
    handle.add_wrapper(extension.WrappersMP.DIFFUSION_MODEL, noting("network 1"))
    handle.add_wrapper(extension.WrappersMP.APPLY_MODEL, noting("evaluation"))
    handle.add_wrapper(extension.WrappersMP.DIFFUSION_MODEL, noting("network 2"))
    handle.set_model_unet_function_wrapper(
        lambda apply_model, asked: (
            order.append("unet function") or apply_model(asked["input"], asked["timestep"], **asked["c"])
        )
    )
    studio.sampled(EULER, model=to_ours(handle))
    assert order[:4] == ["unet function", "evaluation", "network 1", "network 2"]
    assert len(order) == 4 * 3


def test_the_network_is_wrapped_in_its_own_scale(studio, extension):
    """What it is given is what it was trained on, and what it gives is what it predicts: the noise."""
    seen = []

    def wrapper(executor, x, timesteps, context, y, control, transformer_options):
        seen.append((x.std().item(), timesteps.tolist(), context.shape[0], control))
        predicted = executor(x, timesteps, context, y, control, transformer_options)
        seen[-1] += (
            (predicted - executor.original(x, timesteps, context, y, control, transformer_options)).abs().max(),
        )
        return torch.zeros_like(predicted)

    model = wrapped(studio, extension, "DIFFUSION_MODEL", wrapper)
    sampling = to_foreign(studio.model).model.model_sampling
    sigmas = torch.tensor([5.0, 1.0])
    found = studio.sampled(EULER, model=model, sigmas=sigmas)
    ((spread, timesteps, rows, control, difference),) = seen
    assert spread < 1.5
    assert timesteps == sampling.timestep(sigmas[:1]).float().tolist() * rows
    assert (rows, control, difference) == (2, None, 0)
    other = wrapped(studio, extension, "APPLY_MODEL", lambda executor, x, *arguments, **named: x)
    assert_close(found, studio.sampled(EULER, model=other, sigmas=sigmas))


def test_an_evaluation_is_wrapped_as_the_estimate_of_the_clean_latent(studio, extension):
    def wrapper(executor, x, t, c_concat, c_crossattn, control, transformer_options, **others):
        assert t.tolist() in ([14.0] * 2, [5.0] * 2, [1.0] * 2)
        return torch.full_like(x, 0.5)

    found = studio.sampled(EULER, model=wrapped(studio, extension, "APPLY_MODEL", wrapper))
    assert_close(found, studio.model.latent_format.raw(torch.full_like(found, 0.5)))


@pytest.mark.parametrize(("place", "inside"), [*zip(PLACES, PLACES, strict=True), PLACES])
def test_what_a_wrapper_notes_and_patches_reaches_the_layers_once(studio, extension, place, inside):
    seen = []

    def patch(q, k, v, options):
        seen.append((options["note"], options["cond_or_uncond"]))
        return q, k, v

    def noting(executor, *arguments, **named):
        *others, options = arguments
        patches = {**options.get("patches", {}), "attn2_patch": [patch]}
        return executor(*others, {**options, "note": "here", "patches": patches}, **named)

    handle = to_foreign(wrapped(studio, extension, place, noting))
    handle.add_wrapper(getattr(extension.WrappersMP, inside), through)
    studio.sampled(EULER, model=to_ours(handle), sigmas=torch.tensor([5.0, 0.0]))
    layers = {name for name in studio.model.unet.shapes if name.endswith("attn2.to_q.weight")}
    assert seen == [("here", [0, 1])] * len(layers)


class Middle:
    """A control that adds the same to all features after the middle."""

    def residuals(self, call):
        return Residuals(middle=torch.full((len(call.x), 1, 1, 1), 5.0))


def whole_run(seen):
    def wrapper(executor, noise, latent_image, sampler, sigmas, denoise_mask, callback, disable_pbar, seed):
        seen.append((executor.class_obj.cfg, tuple(noise.shape), len(sigmas), denoise_mask, seed))
        return executor(noise, latent_image, sampler, sigmas[:2], denoise_mask, callback, disable_pbar, seed)

    return wrapper


def test_a_run_is_wrapped_whole_under_guiders_of_ours_and_of_packs(studio, extension):
    seen = []
    model = wrapped(studio, extension, "OUTER_SAMPLE", whole_run(seen))
    found = studio.sampled(EULER, model=model)
    assert_close(found, studio.sampled(EULER, sigmas=SIGMAS[:2]))
    assert seen == [(CFG, (1, 4, 8, 8), 4, None, SEED)]
    theirs = sys.modules["comfy.samplers"].CFGGuider(to_foreign(model))
    theirs.set_conds(to_foreign(studio.positive), to_foreign(studio.negative))
    theirs.set_cfg(CFG)
    assert_close(studio.sampled(EULER, guider=to_ours(theirs)), found)
    assert len(seen) == 2


def test_a_run_is_wrapped_whatever_else_changes_the_model(studio, extension):
    seen = []
    model = wrapped(studio, extension, "OUTER_SAMPLE", whole_run(seen))
    ours = replace(model, patches=model.patches.plus(ModelPatches()))
    for changed in (ours, to_ours(to_foreign(ours).clone())):
        studio.sampled(EULER, model=changed)
    assert len(seen) == 2


@pytest.mark.parametrize("place", PLACES)
def test_a_wrapper_hands_controls_on_or_leaves_them_out(studio, extension, place):
    def without(executor, *arguments, **named):
        *before, control, options = arguments
        assert control is not None
        return executor(*before, None, options, **named)

    def sampled(model, *controls):
        steered = tuple(replace(cond, controls=controls) for cond in studio.positive)
        away = tuple(replace(cond, controls=controls) for cond in studio.negative)
        return studio.sampled(EULER, guider=Guider(model, ClassifierFree(steered, away, CFG)))

    control = Middle()
    plain, steered = sampled(studio.model), sampled(studio.model, control)
    assert (plain - steered).abs().max() > 0.01
    assert_close(sampled(wrapped(studio, extension, place, through), control), steered)
    assert_close(sampled(wrapped(studio, extension, place, without), control), plain)


def test_wrappers_stay_with_clones_and_can_be_taken_away(studio, extension):
    kind = extension.WrappersMP.APPLY_MODEL
    model = to_foreign(wrapped(studio, extension, "APPLY_MODEL", through))
    clone = model.clone()
    assert clone.get_all_wrappers(kind) == clone.get_wrappers(kind, "key 0") == [through]
    clone.remove_wrappers_with_key(kind, "key 0")
    assert clone.get_all_wrappers(kind) == []
    assert model.get_all_wrappers(kind) == [through]
    options = {}
    extension.add_wrapper_with_key(kind, "mine", through, options, is_model_options=True)
    assert extension.get_all_wrappers(kind, options["transformer_options"]) == [through]


def test_places_and_moments_that_there_are_not_are_refused_by_name(studio, extension):
    handle = to_foreign(studio.model).clone()
    with pytest.raises(NotOfferedError, match="a wrapper of the type 'calc_cond_batch'"):
        handle.add_wrapper_with_key(extension.WrappersMP.CALC_COND_BATCH, "mine", through)
    handle.model_options["transformer_options"]["wrappers"] = {"sampler_sample": {None: [through]}}
    with pytest.raises(NotOfferedError, match="a wrapper of the type 'sampler_sample'"):
        to_ours(handle)
    with pytest.raises(NotOfferedError, match="a callback of the type 'on_pre_run'"):
        extension.add_callback(extension.CallbacksMP.ON_PRE_RUN, through, {})
