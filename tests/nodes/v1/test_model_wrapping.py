"""Laws of what packs set on models: wrappers of evaluations, options, noise masks and parts of the model."""

import sys
from dataclasses import replace

import pytest
import torch

from models.conditioning import Area
from models.sampling.guidance import ClassifierFree, Guider
from models.sampling.patches import ModelPatches
from models.sampling.samplers.table import SAMPLERS
from models.unet_patches import UNetPatches
from nodes.v1.runtime import NotOfferedError
from nodes.v1.values import to_foreign, to_ours
from tests.nodes.v1.studio import BLANK, CFG, MASKED, SIGMAS, assert_close, studios

EULER = SAMPLERS["euler"]


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    yield from studios(tmp_path_factory.mktemp("wrapping"), "own_samplers.py")


def with_wrapper(studio, wrapper):
    handle = to_foreign(studio.model).clone()
    handle.set_model_unet_function_wrapper(wrapper)
    return to_ours(handle)


def through(apply_model, asked):
    return apply_model(asked["input"], asked["timestep"], **asked["c"])


def row_by_row(apply_model, asked):
    """Asks for each row alone, as packs do that treat the prompts apart."""
    rows = []
    for index, kind in enumerate(asked["cond_or_uncond"]):
        row = slice(index, index + 1)
        options = {**asked["c"]["transformer_options"], "cond_or_uncond": [kind]}
        context = asked["c"]["c_crossattn"][row]
        rows.append(
            apply_model(asked["input"][row], asked["timestep"][row], c_crossattn=context, transformer_options=options)
        )
    return torch.cat(rows)


@pytest.mark.parametrize("wrapper", [through, row_by_row])
@pytest.mark.parametrize("latent", [BLANK, MASKED], ids=["blank", "masked"])
def test_a_wrapper_that_only_calls_through_changes_nothing(studio, wrapper, latent):
    found = studio.sampled(EULER, latent, model=with_wrapper(studio, wrapper))
    assert_close(found, studio.sampled(EULER, latent))


def test_a_wrapper_sees_what_is_asked(studio):
    seen = []

    def wrapper(apply_model, asked):
        seen.append((asked["cond_or_uncond"], tuple(asked["input"].shape), asked["timestep"].tolist()))
        options = asked["c"]["transformer_options"]
        assert torch.equal(options["sample_sigmas"], SIGMAS)
        assert options["cond_or_uncond"] == asked["cond_or_uncond"]
        return through(apply_model, asked)

    studio.sampled(EULER, model=with_wrapper(studio, wrapper))
    assert seen == [([0, 1], (2, 4, 8, 8), [sigma, sigma]) for sigma in SIGMAS[:-1].tolist()]
    seen.clear()
    studio.sampled(EULER, model=with_wrapper(studio, wrapper), cfg=1.0)
    assert [kinds for kinds, _, _ in seen] == [[0]] * 3


def test_a_wrapper_may_ask_for_more_rows_than_it_is_asked_for(studio):
    """As packs do that cut the latent into tiles, and ask for several at once."""

    def tiled(apply_model, asked):
        left, right = asked["input"].chunk(2, dim=3)
        order = [row for row in range(len(left)) for _ in range(2)]
        tiles = torch.stack([left, right], dim=1).flatten(0, 1)
        c = asked["c"] | {"c_crossattn": asked["c"]["c_crossattn"][order]}
        found = apply_model(tiles, asked["timestep"][order], **c).unflatten(0, (-1, 2))
        return torch.cat([found[:, 0], found[:, 1]], dim=3)

    seen = []

    def note(q, k, v, options):
        seen.append((len(q), options["cond_or_uncond"]))
        return q, k, v

    def note_of_ours(x, place, call):
        noted.append((call.prompts, call.pictures))
        return x

    noted = []
    handle = to_foreign(with_wrapper(studio, tiled))
    handle.set_model_attn1_patch(note)
    model = to_ours(handle)
    ours = ModelPatches(unet=UNetPatches(after_middle=(note_of_ours,)))
    found = studio.sampled(EULER, model=replace(model, patches=model.patches.plus(ours)))
    assert found.shape == BLANK.samples.shape
    assert set(map(str, seen)) == {"(4, [0, 1])"}
    assert set(noted) == {((0, 1), 2)}


def test_a_wrapper_sees_areas_as_the_network_does(studio):
    shapes = []

    def wrapper(apply_model, asked):
        shapes.append(tuple(asked["input"].shape))
        return through(apply_model, asked)

    part = tuple(replace(cond, area=Area(8, 4, 0, 2)) for cond in studio.positive)
    guiders = [
        Guider(model, ClassifierFree((*studio.positive, *part), studio.negative, CFG))
        for model in (studio.model, with_wrapper(studio, wrapper))
    ]
    plain, wrapped = (studio.sampled(EULER, guider=guider) for guider in guiders)
    assert_close(wrapped, plain)
    assert {(2, 4, 8, 4), (2, 4, 8, 8)} == set(shapes)


def test_what_a_wrapper_returns_counts_and_the_last_that_is_set(studio):
    handle = to_foreign(with_wrapper(studio, lambda apply_model, asked: torch.zeros_like(asked["input"])))
    assert studio.sampled(EULER, model=to_ours(handle)).abs().max() == 0
    handle.set_model_unet_function_wrapper(through)
    assert_close(studio.sampled(EULER, model=to_ours(handle)), studio.sampled(EULER))


def test_what_a_wrapper_notes_and_patches_reaches_the_layers_of_its_call(studio):
    told, attended = [], []

    def note(q, k, v, options):
        told.append(options.get("mine"))
        return q, k, v

    def attend(q, k, v, options):
        attended.append(options["mine"])
        return sys.modules["comfy.ldm.modules.attention"].optimized_attention(q, k, v, options["n_heads"])

    def wrapper(apply_model, asked):
        options = asked["c"]["transformer_options"] | {
            "mine": float(asked["timestep"][0]), "patches_replace": {"attn1": {("middle", 0): attend}},
        }  # fmt: skip
        return apply_model(asked["input"], asked["timestep"], **asked["c"] | {"transformer_options": options})

    handle = to_foreign(studio.model).clone()
    handle.set_model_attn2_patch(note)
    handle.set_model_unet_function_wrapper(wrapper)
    assert_close(studio.sampled(EULER, model=to_ours(handle)), studio.sampled(EULER))
    assert set(told) == set(attended) == set(SIGMAS[:-1].tolist())


def test_what_one_pack_writes_into_options_the_next_reads(studio):
    first = to_foreign(studio.model).clone()
    first.set_model_attn1_patch(patch := lambda q, k, v, options: (q, k, v))
    first.model_options["transformer_options"]["mine"] = {"weight": 0.5}
    second = to_foreign(to_ours(first)).clone()
    assert second.model_options["transformer_options"]["patches"]["attn1_patch"] == [patch]
    second.model_options["transformer_options"]["mine"]["weight"] = 1.0
    third = to_foreign(to_ours(first))
    assert third.model_options["transformer_options"]["mine"] == {"weight": 0.5}
    del second.model_options["transformer_options"]["patches"]
    assert to_ours(second).patches.unet.empty


def test_a_node_of_ours_after_a_pack_has_the_last_word_on_what_there_is_one_of(studio):
    handle = to_foreign(studio.model).clone()
    handle.set_model_sampler_cfg_function(lambda args: args["cond"] * 0)
    handle.set_model_sampler_post_cfg_function(lambda args: args["denoised"])
    rescaled = studio.run("RescaleCFG", model=to_ours(handle), multiplier=0.7)
    expected = studio.run("RescaleCFG", model=studio.model, multiplier=0.7)
    again = to_ours(to_foreign(rescaled))
    for model in (rescaled, again):
        assert_close(studio.sampled(EULER, model=model), studio.sampled(EULER, model=expected))


def test_an_old_formula_of_three_arguments_is_a_formula(studio):
    handle = to_foreign(studio.model).clone()
    handle.set_model_sampler_cfg_function(lambda cond, uncond, scale: uncond + (cond - uncond) * scale)
    assert_close(studio.sampled(EULER, model=to_ours(handle)), studio.sampled(EULER))


def test_perturbed_attention_written_by_a_pack_is_our_nodes(studio):
    patcher, samplers = sys.modules["comfy.model_patcher"], sys.modules["comfy.samplers"]

    def post_cfg_function(args):
        options = patcher.set_model_options_patch_replace(
            args["model_options"].copy(), lambda q, k, v, options: v, "attn1", "middle", 0
        )
        (perturbed,) = samplers.calc_cond_batch(args["model"], [args["cond"]], args["input"], args["sigma"], options)
        return args["denoised"] + (args["cond_denoised"] - perturbed) * 3.0

    handle = to_foreign(studio.model).clone()
    handle.set_model_sampler_post_cfg_function(post_cfg_function)
    ours = studio.run("PerturbedAttentionGuidance", model=studio.model, scale=3.0)
    assert_close(studio.sampled(EULER, model=to_ours(handle)), studio.sampled(EULER, model=ours))
    assert not torch.allclose(studio.sampled(EULER), studio.sampled(EULER, model=ours), atol=1e-3)


def test_prompts_that_a_pack_changes_while_sampling_are_asked_as_changed(studio):
    samplers, conds, noted = sys.modules["comfy.samplers"], sys.modules["comfy.conds"], []

    def post_cfg_function(args):
        changed = [{**entry, "cross_attn": studio.negative[0].context, "model_conds": {}} for entry in args["cond"]]
        found = samplers.calc_cond_batch(
            args["model"], [changed, None], args["input"], args["sigma"], args["model_options"]
        )
        noted.append((found, args["uncond_denoised"]))
        args["cond"][0]["model_conds"]["c_crossattn"] = conds.CONDRegular(studio.negative[0].context)
        found = samplers.calc_cond_batch(args["model"], [args["cond"], None], args["input"], args["sigma"], {})
        noted.append((found, args["uncond_denoised"]))
        return args["denoised"]

    handle = to_foreign(studio.model).clone()
    handle.set_model_sampler_post_cfg_function(post_cfg_function)
    studio.sampled(EULER, model=to_ours(handle))
    assert len(noted) == 2 * 3
    for (as_changed, nothing), away in noted:
        assert_close(as_changed, away)
        assert nothing.abs().max() == 0


def test_a_model_can_be_asked_only_while_it_samples(studio):
    with pytest.raises(NotOfferedError, match="not sampling"):
        sys.modules["comfy.samplers"].calc_cond_batch(
            to_foreign(studio.model).model, [[]], BLANK.samples, torch.ones(1), {}
        )


def test_a_packs_function_decides_over_the_noise_mask(studio):
    def with_mask(function):
        handle = to_foreign(studio.model).clone()
        handle.set_model_denoise_mask_function(function)
        return to_ours(handle)

    seen = []

    def as_it_is(sigma, denoise_mask, extra_options):
        sampling = extra_options["model"].inner_model.model_sampling
        seen.append((float(sigma[0]), len(extra_options["sigmas"]), float(sampling.sigma_max) > 14))
        return denoise_mask

    expected = studio.sampled(EULER, MASKED)
    for sampler in (EULER, studio.run("Test Makes", kind="euler")):
        assert_close(studio.sampled(sampler, MASKED, model=with_mask(as_it_is)), expected)
        assert seen == [(sigma, 4, True) for sigma in SIGMAS[:-1].tolist()]
        seen.clear()
        everywhere = with_mask(lambda sigma, denoise_mask, extra_options: torch.ones_like(denoise_mask))
        unmasked = studio.sampled(EULER, replace(MASKED, noise_mask=None))
        assert_close(studio.sampled(sampler, MASKED, model=everywhere), unmasked)
    differential = studio.run("DifferentialDiffusion", model=studio.model, strength=1.0)
    soft = replace(MASKED, noise_mask=torch.linspace(0, 1, 64).reshape(1, 1, 8, 8))
    assert_close(
        studio.sampled(studio.run("Test Makes", kind="euler"), soft, model=differential),
        studio.sampled(EULER, soft, model=differential),
    )


def patched_sampling(studio, *bases, **parameters):
    handle = to_foreign(studio.model).clone()
    made = type("ModelSamplingAdvanced", bases, {})(handle.model.model_config)
    if parameters:
        made.set_parameters(**parameters)
    handle.add_object_patch("model_sampling", made)
    assert handle.get_model_object("model_sampling") is made
    return to_ours(handle)


def test_a_sampling_built_of_comfyuis_classes_is_that_of_our_node(studio):
    library = sys.modules["comfy.model_sampling"]
    velocity = patched_sampling(studio, library.ModelSamplingDiscrete, library.V_PREDICTION)
    ours = studio.run("ModelSamplingDiscrete", model=studio.model, sampling="v_prediction", zsnr=False)
    assert_close(studio.sampled(EULER, model=velocity), studio.sampled(EULER, model=ours))
    flow = patched_sampling(studio, library.ModelSamplingDiscreteFlow, library.CONST, shift=3.0)
    ours = studio.run("ModelSamplingSD3", model=studio.model, shift=3.0)
    sigmas = torch.tensor([1.0, 0.6, 0.2, 0.0])
    for sampler in ("euler", "euler_ancestral"):
        found, expected = (studio.sampled(SAMPLERS[sampler], sigmas=sigmas, model=model) for model in (flow, ours))
        assert_close(found, expected)


def test_a_sampling_of_a_packs_own_methods_is_heard(studio):
    library = sys.modules["comfy.model_sampling"]

    class Noise(library.EPS):
        def calculate_denoised(self, sigma, model_output, model_input):
            sigma = sigma.view(sigma.shape[:1] + (1,) * (model_output.ndim - 1))
            return model_input - model_output * sigma

    class HalfTheNoise(library.EPS):
        def calculate_denoised(self, sigma, model_output, model_input):
            return super().calculate_denoised(sigma, model_output * 0.5, model_input)

    class Flow(library.ModelSamplingDiscreteFlow):
        def percent_to_sigma(self, percent):
            return super().percent_to_sigma(percent)

    model = patched_sampling(studio, library.ModelSamplingDiscrete, Noise)
    assert_close(studio.sampled(EULER, MASKED, model=model), studio.sampled(EULER, MASKED))
    model = patched_sampling(studio, library.ModelSamplingDiscrete, HalfTheNoise)
    assert not torch.allclose(studio.sampled(EULER, model=model), studio.sampled(EULER), atol=1e-2)
    flow = patched_sampling(studio, Flow, library.CONST, shift=3.0)
    ours, sigmas = studio.run("ModelSamplingSD3", model=studio.model, shift=3.0), torch.tensor([1.0, 0.6, 0.2, 0.0])
    ancestral = SAMPLERS["euler_ancestral"]
    assert_close(
        studio.sampled(ancestral, sigmas=sigmas, model=flow), studio.sampled(ancestral, sigmas=sigmas, model=ours)
    )
    sampling = to_foreign(studio.model).get_model_object("model_sampling")
    assert isinstance(sampling, library.ModelSamplingDiscrete)
    assert isinstance(sampling, library.EPS)
    assert not isinstance(sampling, library.CONST)


def test_parts_that_cannot_be_replaced_are_refused_by_name(studio):
    handle = to_foreign(studio.model).clone()
    with pytest.raises(NotOfferedError, match=r"add_object_patch of 'diffusion_model\.out'"):
        handle.add_object_patch("diffusion_model.out", None)
    with pytest.raises(NotOfferedError, match="add_callback_with_key"):
        handle.add_callback_with_key("on_pre_run", "mine", through)
    with pytest.raises(NotOfferedError, match="patch 'double_block'"):
        handle.set_model_patch(through, "double_block")
    handle.model_options["sampler_calc_cond_batch_function"] = through
    with pytest.raises(NotOfferedError, match="sampler_calc_cond_batch_function"):
        to_ours(handle)


def test_transformers_are_numbered_in_the_order_they_are_computed(studio):
    told = []

    def note(q, k, v, options):
        told.append((options["transformer_index"], options["block"], options["block_index"]))
        return q, k, v

    handle = to_foreign(studio.model).clone()
    handle.set_model_attn1_patch(note)
    studio.sampled(EULER, sigmas=SIGMAS[-2:], model=to_ours(handle))
    assert [number for number, _, _ in told] == list(range(len(told)))
    assert [path for _, (path, _), _ in told] == sorted(path for _, (path, _), _ in told)


@pytest.mark.parametrize("strength", [1.0, -0.5])
def test_adapters_that_a_pack_applies_itself_change_what_ours_change(studio, strength):
    shapes = studio.model.unet.shapes
    name = next(name for name in shapes if name.endswith("attn1.to_q.weight"))
    width = shapes[name][0]
    tensors = {
        f"lora_unet_{name.removesuffix('.weight').replace('.', '_')}.lora_{part}.weight": torch.full(shape, 0.1)
        for part, shape in (("up", (width, 2)), ("down", (2, width)))
    }
    handle, clip = to_foreign(studio.model), to_foreign(studio.clip)
    lora = sys.modules["comfy.lora"]
    keys = lora.model_lora_keys_clip(clip.cond_stage_model, lora.model_lora_keys_unet(handle.model, {}))
    loaded = lora.load_lora(sys.modules["comfy.lora_convert"].convert_lora(tensors), keys)
    assert set(loaded) == {f"diffusion_model.{name}"}
    theirs = handle.clone()
    assert theirs.add_patches(loaded, strength) == list(loaded)
    assert clip.clone().add_patches(loaded, strength) == []
    ours, _ = sys.modules["comfy.sd"].load_lora_for_models(handle, None, tensors, strength, 0.0)
    by_hand = handle.clone()
    by_hand.add_patches({f"diffusion_model.{name}": ("diff", (torch.full((width, width), 0.02),))}, strength)
    expected = studio.model.unet.parameter(name) + strength * 0.02
    for changed in (theirs, ours, by_hand):
        model = to_ours(changed)
        torch.testing.assert_close(model.unet.parameter(name, model.weights), expected, atol=1e-5, rtol=1e-4)
    assert to_ours(handle).weights == ()
