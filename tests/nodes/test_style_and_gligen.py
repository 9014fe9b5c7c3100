"""Styles of pictures become tokens of the prompt; words get boxes; hypernetworks change attention."""

import pytest
import torch

from models.adapters.gligen import GligenBoxes
from models.adapters.style import StyleModel, StyleModelConfig
from models.conditioning import Area, Cond
from models.vision import Seen
from nodes.context import Context
from nodes.gligen import gligen_loader, gligen_text_box_apply
from nodes.hypernetwork import hypernetwork_loader
from nodes.style import style_model_apply, style_model_loader
from tests.models.loading.test_adapters import gligen_weights, saved, weights_of
from tests.models.loading.test_hypernetwork import perceptron
from tests.models.sampling.fakes import FakeResidence
from tests.nodes.networks import clip, model

STYLE = FakeResidence(StyleModel(StyleModelConfig(width=32, context_dim=64, tokens=8, layers=1)).eval())
PROMPT = (Cond(torch.zeros(1, 3, 64)), Cond(torch.ones(1, 5, 64)))


def seen(width: int = 32) -> Seen:
    return Seen(torch.zeros(2, 4), torch.randn(2, 5, width), torch.zeros(2, 5, width))


def test_each_prompt_gets_the_tokens_of_all_pictures() -> None:
    found = style_model_apply(
        conditioning=PROMPT, style_model=STYLE, clip_vision_output=seen(), strength=1.0, strength_type="multiply"
    )
    assert [cond.context.shape for cond in found] == [(1, 3 + 16, 64), (1, 5 + 16, 64)]
    assert torch.equal(found[1].context[:, :5], PROMPT[1].context)


def test_the_strength_multiplies_the_tokens() -> None:
    pictures = seen()
    whole, half = (
        style_model_apply(
            conditioning=PROMPT, style_model=STYLE, clip_vision_output=pictures, strength=strength,
            strength_type="multiply",
        )[0].context[:, 3:]
        for strength in (1.0, 0.5)
    )  # fmt: skip
    torch.testing.assert_close(half, whole / 2)


@pytest.mark.parametrize(
    ("width", "kind", "message"), [(20, "multiply", "encoded 20 wide.*reads 32"), (32, "attn_bias", "needs a Flux")]
)
def test_what_does_not_fit_is_refused(width: int, kind: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        style_model_apply(
            conditioning=PROMPT,
            style_model=STYLE,
            clip_vision_output=seen(width),
            strength=0.5,
            strength_type=kind,  # pyright: ignore[reportArgumentType]
        )


def test_a_style_model_is_loaded_by_its_name(context: Context) -> None:
    saved(context.paths.model_directories("style_models")[0], weights_of(STYLE.network), "brush")
    with style_model_loader("brush.safetensors", context).on_device() as network:
        assert network.config == STYLE.network.config


def test_boxes_gather_in_pixels_of_the_latent(context: Context) -> None:
    saved(context.paths.model_directories("gligen")[0], gligen_weights(), "boxes")
    gligen = gligen_loader("boxes.safetensors", context)
    once = gligen_text_box_apply(PROMPT, clip(), gligen, "a bottle", 192, 304, 176, 272)
    twice = gligen_text_box_apply(once, clip(), gligen, "the sun", 144, 144, 416, 16)
    for cond in twice:
        assert isinstance(cond.boxes, GligenBoxes)
        assert [box.area for box in cond.boxes.boxes] == [Area(38, 24, 34, 22), Area(18, 18, 2, 52)]
        assert all(box.words.shape == (1, 64) for box in cond.boxes.boxes)


def test_a_hypernetwork_changes_every_attention_of_the_model(context: Context) -> None:
    pair = (perceptron(64), perceptron(64))
    torch.save({64: pair, "name": "paint"}, context.paths.model_directories("hypernetworks")[0] / "paint.pt")
    found = hypernetwork_loader(model(), "paint.pt", 0.5, context=context)
    assert len(found.patches.unet.self_attention.inputs) == 1
    assert len(found.patches.unet.cross_attention.inputs) == 1
