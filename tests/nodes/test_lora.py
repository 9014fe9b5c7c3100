"""LoRA files change models and text encoders, and what does not fit is told."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.weights.patches import LoraMismatchError
from nodes.context import Context
from nodes.lora import (
    lora_loader,
    lora_loader_model_only,
    lora_model_loader,
)
from nodes.spec import Shown, spec_of
from tests.models.weights.spellings import kohya, pair
from tests.nodes.networks import clip, model

UNET_LAYER = "input_blocks.1.1.transformer_blocks.0.attn1.to_q"
UNET_NAME = "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
TEXT_LAYER = "text_model.encoder.layers.0.mlp.fc1"


def tensors() -> dict[str, Tensor]:
    return kohya("lora_unet_", UNET_NAME, *pair((32, 32), "u")) | kohya("lora_te_", TEXT_LAYER, *pair((128, 64), "t"))


@pytest.fixture
def lora(context: Context) -> Path:
    path = context.paths.model_directories("loras")[0] / "style" / "ink.safetensors"
    path.parent.mkdir(parents=True)
    save_file(tensors(), path)
    return path


def product(name: str, shape: tuple[int, ...]) -> Tensor:
    up, down = pair(shape, name)
    return up @ down


def test_a_lora_changes_model_and_text_encoder_each_with_its_strength(context: Context, lora: Path) -> None:
    before, text = model(), clip()
    after, changed_text = lora_loader(
        model=before, clip=text, lora_name="style/ink.safetensors", strength_model=0.5, strength_clip=-2.0,
        context=context,
    )  # fmt: skip
    weight = before.unet.parameter(f"{UNET_LAYER}.weight")
    assert torch.equal(
        after.unet.parameter(f"{UNET_LAYER}.weight", after.weights), weight + 0.5 * product("u", (32, 32))
    )
    name = f"clip_l.{TEXT_LAYER}.weight"
    assert torch.equal(
        changed_text.encoder.parameter(name, changed_text.weights),
        text.encoder.parameter(name) - 2.0 * product("t", (128, 64)),
    )
    assert after.unet is before.unet
    assert before.weights == ()


def test_loras_are_stacked_in_order(context: Context, lora: Path) -> None:
    before = model()
    once = lora_loader_model_only(model=before, lora_name="style/ink.safetensors", context=context)
    twice = lora_loader_model_only(model=once, lora_name="style/ink.safetensors", strength_model=-1.0, context=context)
    assert [patch.strength for patch in twice.weights] == [1.0, -1.0]  # pyright: ignore[reportAttributeAccessIssue]
    name = f"{UNET_LAYER}.weight"
    torch.testing.assert_close(before.unet.parameter(name, twice.weights), before.unet.parameter(name))


def test_without_strength_nothing_is_changed_or_read(context: Context) -> None:
    before, text = model(), clip()
    same = lora_loader(
        model=before, clip=text, lora_name="none", strength_model=0.0, strength_clip=0.0, context=context
    )
    assert same.model is before
    assert same.clip is text


def test_what_does_not_fit_is_shown_on_the_node(context: Context, lora: Path) -> None:
    save_file(tensors() | kohya("lora_unet_", "double_blocks_0", *pair((3, 3), "x")), lora)
    shown = lora_loader_model_only(model=model(), lora_name="style/ink.safetensors", context=context)
    assert isinstance(shown, Shown)
    assert "ink.safetensors: 1 of 3 names in it belong to nothing" in shown.ui["text"][0]


def test_a_lora_that_fits_nothing_is_refused(context: Context, lora: Path) -> None:
    save_file(kohya("lora_unet_", "double_blocks_0_img_attn", *pair((3, 3), "x")), lora)
    with pytest.raises(LoraMismatchError, match="it seems to be for Flux"):
        lora_loader_model_only(model=model(), lora_name="style/ink.safetensors", context=context)


def test_adapters_in_memory_are_used_like_those_of_a_file() -> None:
    before = model()
    after = lora_model_loader(model=before, lora=tensors(), strength_model=1.0)
    assert [*after.weights[0].names] == [f"{UNET_LAYER}.weight"]


def test_a_changed_file_is_read_anew(context: Context, lora: Path) -> None:
    spec = spec_of(lora_loader_model_only)
    assert spec is not None
    assert spec.fingerprint is not None
    arguments = {"model": None, "lora_name": "style/ink.safetensors", "strength_model": 1.0, "context": context}
    first = spec.fingerprint(**arguments)
    os.utime(lora, (1, 1))
    assert spec.fingerprint(**arguments) != first
