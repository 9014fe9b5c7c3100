"""Laws of what packs do with ControlNets, CLIP's view of pictures, style models and upscalers: as our nodes do it."""

import sys

import pytest
import torch

from models.adapters.style import StyleModel, StyleModelConfig
from models.controlnet import ControlNet, ControlNetConfig
from models.controls import ControlNetControl, ControlNetModel
from models.memory import DevicePolicy
from models.sampling.guidance import ClassifierFree, Guider
from models.sampling.samplers.table import SAMPLERS
from models.unet import UNetConfig
from models.upscaler import RrdbConfig, RrdbNet, Upscaler
from models.vision import ClipVision, Seen
from nodes.controlnet import control_net_apply, control_net_apply_advanced
from nodes.v1.runtime import NotOfferedError
from nodes.v1.values import to_foreign, to_ours
from tests.models.loading.test_adapters import VISION
from tests.models.memory.fakes import at_random
from tests.nodes.v1.studio import CFG, assert_close, studios

POLICY = DevicePolicy.choose(cpu=True)
PICTURE = torch.rand(1, 40, 70, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    yield from studios(tmp_path_factory.mktemp("adapters"), "own_samplers.py")


@pytest.fixture
def controlnet(studio) -> ControlNetModel:
    """A ControlNet for the model of the studio."""
    half = UNetConfig.from_shapes(studio.model.unet.shapes)
    network = at_random(ControlNet(ControlNetConfig(half, (3, 16, 16, 32, 32, 96, 96, 256, half.model_channels))), 0)
    return ControlNetModel(POLICY.resident(network, torch.float32))


def steered(controlnet, conditioning, shared, **hint):
    """What packs do in place of the nodes that apply a ControlNet."""
    found, made = [], {}
    for features, noted in conditioning:
        previous = noted.get("control", None)
        if previous not in made:
            made[previous] = controlnet.copy().set_cond_hint(PICTURE.movedim(-1, 1), **hint)
            made[previous].set_previous_controlnet(previous)
        found.append([features, {**noted, "control": made[previous], "control_apply_to_uncond": shared}])
    return found


def parts(conditioning):
    """Strength and range of the hints that steer a prompt."""
    hints = [one.hint for one in conditioning[0].controls if isinstance(one, ControlNetControl)]
    return [(hint.strength, hint.start, hint.end) for hint in hints]


def test_a_controlnet_that_a_pack_applies_steers_as_our_node_has_it(studio, controlnet):
    def sampled(positive):
        guider = Guider(studio.model, ClassifierFree(positive, studio.negative, CFG))
        return studio.sampled(SAMPLERS["euler"], guider=guider)

    handle = to_foreign(controlnet)
    once = to_ours(steered(handle, to_foreign(studio.positive), True, strength=0.7))
    once_by_ours = control_net_apply(studio.positive, controlnet, PICTURE, 0.7)
    assert_close(sampled(once), sampled(once_by_ours))
    assert not torch.allclose(sampled(once), sampled(studio.positive), atol=1e-3)
    twice = to_ours(steered(handle, to_foreign(once), True, timestep_percent_range=(0.2, 0.9)))
    twice_by_ours = control_net_apply_advanced(
        positive=once_by_ours, negative=once_by_ours, control_net=controlnet, image=PICTURE, start_percent=0.2,
        end_percent=0.9,
    ).positive  # fmt: skip
    hints = [parts(prompt) for prompt in (twice, twice_by_ours)]
    library = sys.modules["comfy.controlnet"]
    assert isinstance(handle, library.ControlBase)
    assert isinstance(handle, library.ControlNet)
    assert not isinstance(handle, library.T2IAdapter)
    assert hints[0] == hints[1] == [(0.7, 0.0, 1.0), (1.0, 0.2, 0.9)]
    assert to_ours(handle) is controlnet


def test_prompts_that_a_pack_steers_alike_are_steered_by_one_control(studio, controlnet):
    handle = to_foreign(controlnet)
    [[_, noted]] = steered(handle, to_foreign(studio.positive), False)
    [first], [second] = (
        to_ours([[cond[0].context, {"control": noted["control"]}]]) for cond in (studio.positive, studio.negative)
    )
    assert first.controls[0] is second.controls[0]
    assert to_foreign((first,))[0][1]["control"] == to_foreign((second,))[0][1]["control"]


def test_a_controlnet_without_a_hint_and_what_it_has_not_are_refused(studio, controlnet):
    handle = to_foreign(controlnet)
    with pytest.raises(ValueError, match="without a hint"):
        to_ours([[studio.positive[0].context, {"control": handle.copy()}]])
    with pytest.raises(NotOfferedError, match="'control_model' of a CONTROL_NET"):
        _ = handle.control_model
    with pytest.raises(NotOfferedError, match="extra argument 'control_type'"):
        handle.set_extra_arg("control_type", [3])


def test_a_picture_that_a_pack_shows_to_clip_is_seen_as_by_our_node(studio):
    vision = POLICY.resident(at_random(ClipVision(VISION), 0), torch.float32)
    handle = to_foreign(vision)
    for crop, ours in ((True, "center"), ("none", "none"), (False, "none")):
        found = handle.encode_image(PICTURE, crop=crop)
        expected: Seen = studio.run("CLIPVisionEncode", clip_vision=vision, image=PICTURE, crop=ours)
        for name in ("image_embeds", "last_hidden_state", "penultimate_hidden_states"):
            assert torch.equal(found[name], getattr(expected, name))
            assert found.get(name) is getattr(found, name)
    pixels = sys.modules["comfy.clip_vision"].clip_preprocess(PICTURE, size=handle.image_size, crop=False)
    last, before, vectors = handle.model(pixel_values=pixels, intermediate_output=-2)
    torch.testing.assert_close(last, found.last_hidden_state)
    torch.testing.assert_close(before, found.penultimate_hidden_states)
    torch.testing.assert_close(vectors, found.image_embeds)
    back = to_ours(found)
    assert isinstance(back, Seen)
    assert back.image_embeds is found.image_embeds
    made = sys.modules["comfy.clip_vision"].Output()
    made["image_embeds"] = torch.ones(1, 40)
    [cond] = studio.run("unCLIPConditioning", conditioning=studio.positive, clip_vision_output=to_ours(made))
    assert torch.equal(cond.images[0].embeds, torch.ones(1, 40))
    assert isinstance(handle, sys.modules["comfy.clip_vision"].ClipVisionModel)
    assert to_ours(handle) is vision


def test_a_style_that_a_pack_takes_is_that_of_our_node(studio):
    width = studio.positive[0].context.shape[2]
    config = StyleModelConfig(width=32, context_dim=width, tokens=8, layers=1)
    style = POLICY.resident(at_random(StyleModel(config), 0), torch.float32)
    seen = Seen(torch.zeros(2, 4), torch.randn(2, 5, 32), torch.zeros(2, 5, 32))
    tokens = to_foreign(style).get_cond(to_foreign(seen)).flatten(0, 1)[None]
    [cond] = studio.run(
        "StyleModelApply", conditioning=studio.positive, style_model=style, clip_vision_output=seen, strength=1.0,
        strength_type="multiply",
    )  # fmt: skip
    torch.testing.assert_close(cond.context[:, -16:], tokens)


def test_a_pack_enlarges_by_tiles_what_our_node_enlarges(studio):
    config = RrdbConfig(3, 8, 1, 4, 1, 1)
    upscaler = Upscaler(POLICY.resident(at_random(RrdbNet(config), 0), torch.float32), 2)
    handle = to_foreign(upscaler)
    assert handle.to("cpu") is handle.model.cpu() is handle
    assert sys.modules["comfy.model_management"].module_size(handle.model) > 0
    enlarged = sys.modules["comfy.utils"].tiled_scale(
        PICTURE.movedim(-1, 1),
        lambda tile: handle(tile),
        tile_x=512,
        tile_y=512,
        overlap=32,
        upscale_amount=handle.scale,
    )
    ours = studio.run("ImageUpscaleWithModel", upscale_model=upscaler, image=PICTURE)
    torch.testing.assert_close(enlarged.clamp(0, 1).movedim(1, -1), ours, atol=1e-5, rtol=1e-5)
    assert to_ours(handle) is upscaler


def test_an_upscaler_that_a_pack_has_loaded_serves_our_node(studio):
    class Descriptor:
        """What the package spandrel gives for a file."""

        scale = 2
        model = torch.nn.Conv2d(3, 3, 1)

        def __call__(self, pictures):
            return pictures.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    Descriptor.__module__ = "spandrel.model_descriptor"
    image = studio.run("ImageUpscaleWithModel", upscale_model=to_ours(Descriptor()), image=PICTURE)
    torch.testing.assert_close(image, PICTURE.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2))
