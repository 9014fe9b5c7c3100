"""Adapters find the parameters that they change, under every name that programs have for them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.loading.header import ModelFileError
from models.weights.lora_file import lora_of, read_lora
from models.weights.patches import AdapterPatch, LoraMismatchError, fit
from tests.models.weights.spellings import (
    LAYERS,
    TEXT_LAYERS,
    diffusers,
    kohya,
    linear_layer,
    pair,
    peft,
    peft_adapter,
    peft_adapter_within,
    shapes_of_text,
    shapes_of_unet,
)

Spelling = Callable[[str, str, Tensor, Tensor], dict[str, Tensor]]

SPELLINGS: Mapping[str, tuple[Spelling, str, bool]] = {
    "kohya": (kohya, "lora_unet_", True),
    "kohya with the checkpoint's names": (kohya, "lora_unet_", False),
    "LyCORIS": (kohya, "lycoris_", True),
    "diffusers": (diffusers, "unet.", True),
    "diffusers, linear layer": (linear_layer, "unet.", True),
    "PEFT": (peft, "unet.", True),
    "PEFT adapter": (peft_adapter, "", True),
    "PEFT adapter of one network among several": (peft_adapter_within, "unet.", True),
    "the checkpoint's names": (peft, "diffusion_model.", False),
    "the checkpoint's bare names": (peft, "", False),
}


def in_spelling(spelling: str) -> dict[str, Tensor]:
    write, prefix, theirs = SPELLINGS[spelling]
    shapes = shapes_of_unet()
    tensors: dict[str, Tensor] = {}
    for ours, name in LAYERS.items():
        tensors |= write(prefix, name if theirs else ours, *pair(shapes[f"{ours}.weight"], ours))
    return tensors


def changed(tensors: Mapping[str, Tensor], strength: float = 1.0) -> dict[str, Tensor]:
    """What the adapters make of weights of zero."""
    shapes = shapes_of_unet()
    fitted = fit(lora_of("some.safetensors", tensors), shapes, None)
    assert not fitted.problems
    patch = AdapterPatch("some", fitted.unet, strength)
    return {name: patch.patched(name, torch.zeros(shapes[name])) for name in patch.names}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_same_lora_in_any_spelling_changes_the_same_weights_alike(spelling: str) -> None:
    shapes = shapes_of_unet()
    found = changed(in_spelling(spelling))
    assert found.keys() == {f"{ours}.weight" for ours in LAYERS}
    for ours in LAYERS:
        up, down = pair(shapes[f"{ours}.weight"], ours)
        expected = (up.flatten(1) @ down.flatten(1)).reshape(shapes[f"{ours}.weight"])
        assert torch.equal(found[f"{ours}.weight"], expected)


def test_the_attention_processors_of_early_diffusers_are_known() -> None:
    stem = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor"
    up, down = pair((32, 32), "x")
    tensors = {f"{stem}.to_{part}_lora.{side}.weight": tensor for part in ("q", "out") for side, tensor in
               (("up", up), ("down", down))}  # fmt: skip
    attention = "input_blocks.1.1.transformer_blocks.0.attn1"
    assert changed(tensors).keys() == {f"{attention}.to_q.weight", f"{attention}.to_out.0.weight"}


TEXT_SPELLINGS = {
    "kohya, SD 1.x": (kohya, "lora_te_", "clip_l"),
    "kohya, SD 2.x": (kohya, "lora_te_", "clip_h"),
    "kohya, SDXL's first": (kohya, "lora_te1_", "clip_l"),
    "kohya, SDXL's second": (kohya, "lora_te2_", "clip_g"),
    "diffusers": (linear_layer, "text_encoder.", "clip_l"),
    "PEFT": (peft, "text_encoder.", "clip_h"),
    "PEFT, SDXL's second": (peft, "text_encoder_2.", "clip_g"),
    "ComfyUI": (peft, "text_encoders.clip_g.transformer.", "clip_g"),
    "bare": (peft_adapter, "", "clip_l"),
}


@pytest.mark.parametrize("spelling", TEXT_SPELLINGS)
def test_text_encoders_are_known_under_all_their_names(spelling: str) -> None:
    write, prefix, role = TEXT_SPELLINGS[spelling]
    roles = {"clip_l": ["clip_l"], "clip_h": ["clip_h"], "clip_g": ["clip_l", "clip_g"]}[role]
    shapes = shapes_of_text(*roles)
    tensors: dict[str, Tensor] = {}
    for layer in TEXT_LAYERS:
        tensors |= write(prefix, layer, *pair(shapes[f"{role}.{layer}.weight"], layer))
    fitted = fit(lora_of("some", tensors), None, shapes)
    assert not fitted.problems
    assert fitted.text.keys() == {f"{role}.{layer}.weight" for layer in TEXT_LAYERS}


def test_the_projection_of_the_second_text_encoder_can_be_changed() -> None:
    tensors = kohya("lora_te2_", "text_projection", *pair((32, 128), "p"))
    assert fit(lora_of("some", tensors), None, shapes_of_text("clip_l", "clip_g")).text.keys() == {
        "clip_g.text_projection.weight"
    }


def test_norms_and_biases_are_changed_by_differences() -> None:
    tensors = {
        "lora_unet_mid_block_attentions_0_norm.w_norm": torch.ones(64),
        "lora_unet_mid_block_attentions_0_norm.b_norm": torch.full((64,), 2.0),
        "diffusion_model.out.2.diff_b": torch.full((4,), 3.0),
        "diffusion_model.out.0.set_weight": torch.full((32,), 7.0),
    }
    found = changed(tensors, 0.5)
    assert {name: float(tensor.flatten()[0]) for name, tensor in found.items()} == {
        "middle_block.1.norm.weight": 0.5,
        "middle_block.1.norm.bias": 1.0,
        "out.2.bias": 1.5,
        "out.0.weight": 7.0,
    }


def test_what_fits_is_used_and_what_does_not_is_told() -> None:
    tensors = in_spelling("kohya") | {
        "lora_unet_down_blocks_7_resnets_0_conv1.lora_up.weight": torch.zeros(1, 1),
        "lora_unet_down_blocks_7_resnets_0_conv1.lora_down.weight": torch.zeros(1, 1),
        "lora_unet_conv_in.lora_up.weight": torch.zeros(32, 2, 1, 1),
        "lora_unet_conv_in.lora_down.weight": torch.zeros(2, 9, 3, 3),
        "a.key.of.no.kind": torch.zeros(1),
    }
    fitted = fit(lora_of("some", tensors), shapes_of_unet(), None)
    assert len(fitted.unet) == len(LAYERS)
    told = " ".join(fitted.problems)
    assert "lora_unet_conv_in does not fit input_blocks.0.0.weight of shape [32, 4, 3, 3]" in told
    assert "a.key.of.no.kind, lora_unet_down_blocks_7_resnets_0_conv1" in told


@pytest.mark.parametrize(
    ("width", "metadata", "family"),
    [
        (2048, {}, "Stable Diffusion XL"),
        (1024, {}, "Stable Diffusion 2.x"),
        (768, {}, "Stable Diffusion 1.x"),
        (9, {"ss_base_model_version": "sdxl_base_v1-0"}, "Stable Diffusion XL"),
        (9, {"modelspec.architecture": "flux-1-dev/lora"}, "Flux"),
    ],
)
def test_a_lora_for_another_model_is_refused_and_the_model_it_is_for_named(
    width: int, metadata: dict[str, str], family: str
) -> None:
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
    lora = lora_of("style.safetensors", kohya("lora_unet_", name, *pair((32, width), "x")), metadata)
    with pytest.raises(LoraMismatchError, match=rf"style\.safetensors fits nothing .* seems to be for {family}"):
        fit(lora, shapes_of_unet(), shapes_of_text("clip_l"))


def test_changes_to_a_network_that_is_to_stay_are_no_problem() -> None:
    tensors = in_spelling("kohya") | kohya("lora_te_", TEXT_LAYERS[0], *pair((64, 64), "t"))
    lora = lora_of("some", tensors)
    assert not fit(lora, shapes_of_unet(), None).problems
    without_unet = fit(lora, None, shapes_of_text("clip_l"))
    assert not without_unet.problems
    assert (len(without_unet.unet), len(without_unet.text)) == (0, 1)


def test_an_empty_change_of_nothing_is_no_error() -> None:
    lora = lora_of("some", kohya("lora_te_", TEXT_LAYERS[0], *pair((64, 64), "t")))
    assert not fit(lora, shapes_of_unet(), None).unet


def test_adapters_are_read_from_archives_of_torch_too(tmp_path: Path) -> None:
    torch.save({"state_dict": in_spelling("kohya")}, tmp_path / "old.pt")
    fitted = fit(read_lora(tmp_path / "old.pt"), shapes_of_unet(), None)
    assert fitted.unet.keys() == {f"{ours}.weight" for ours in LAYERS}


def test_an_alpha_of_several_numbers_is_refused_with_the_file(tmp_path: Path) -> None:
    tensors = kohya("lora_unet_", "conv_in", *pair((32, 4, 3, 3), "x")) | {"lora_unet_conv_in.alpha": torch.ones(2)}
    torch.save(tensors, tmp_path / "some.pt")
    with pytest.raises(ModelFileError, match=r"some\.pt cannot be loaded: an alpha in it is \[2\] numbers"):
        read_lora(tmp_path / "some.pt")
