"""Mixtures of models hold the shares that were asked for, and their ends are the models themselves."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.types import Model
from models.unet import UNet
from models.weights.mixing import MixMismatchError
from nodes.model_merging import (
    clip_merge_add,
    clip_merge_simple,
    clip_merge_subtract,
    model_merge_add,
    model_merge_blocks,
    model_merge_sd1,
    model_merge_sdxl,
    model_merge_simple,
    model_merge_subtract,
)
from tests.models.memory.fakes import at_random
from tests.nodes.networks import POLICY, UNET, clip, model

FIRST, SECOND = model(1), model(2)
DOWN, MIDDLE, UP = "input_blocks.1.0.in_layers.2.weight", "middle_block.0.in_layers.2.weight", "out.2.weight"


def weight(of: Model, name: str = DOWN) -> Tensor:
    return of.unet.parameter(name, of.weights)


def test_the_ends_of_the_ratio_are_the_two_models() -> None:
    for name in FIRST.unet.shapes:
        assert torch.equal(weight(model_merge_simple(FIRST, SECOND, 1.0), name), weight(FIRST, name))
        assert torch.equal(weight(model_merge_simple(FIRST, SECOND, 0.0), name), weight(SECOND, name))


def test_a_ratio_is_the_share_of_the_first() -> None:
    merged = model_merge_simple(FIRST, SECOND, 0.25)
    torch.testing.assert_close(weight(merged), 0.25 * weight(FIRST) + 0.75 * weight(SECOND))


def test_a_mixture_computes_with_the_mixed_weights_and_leaves_both_models_as_they_were() -> None:
    merged, before = model_merge_simple(FIRST, SECOND, 0.5), weight(FIRST)
    with merged.unet.on_device(merged.weights) as unet:
        torch.testing.assert_close(unet.get_parameter(DOWN), (weight(FIRST) + weight(SECOND)) / 2)
    with FIRST.unet.on_device() as unet:
        assert torch.equal(unet.get_parameter(DOWN), before)


def test_every_part_has_a_ratio_of_its_own_and_what_is_in_none_goes_with_the_first() -> None:
    merged = model_merge_blocks(FIRST, SECOND, input=1.0, middle=0.5, out=0.0)
    assert torch.equal(weight(merged, DOWN), weight(FIRST, DOWN))
    assert torch.equal(weight(merged, "time_embed.0.weight"), weight(FIRST, "time_embed.0.weight"))
    torch.testing.assert_close(weight(merged, MIDDLE), (weight(FIRST, MIDDLE) + weight(SECOND, MIDDLE)) / 2)
    assert torch.equal(weight(merged, UP), weight(SECOND, UP))
    assert torch.equal(weight(merged, "output_blocks.0.0.in_layers.2.weight"),
                       weight(SECOND, "output_blocks.0.0.in_layers.2.weight"))  # fmt: skip


@pytest.mark.parametrize(("node", "dot"), [(model_merge_sd1, "."), (model_merge_sdxl, "")])
def test_every_block_has_a_ratio_of_its_own(node, dot: str) -> None:
    sides = [f"{side}_blocks.{number}" for side in ("input", "output") for number in range(9)]
    blocks = [f"{block}{dot}" for block in (*sides, *(f"middle_block.{number}" for number in range(3)))]
    deeper = [f"{side}_blocks.{number}." for side in ("input", "output") for number in range(9, 12)]
    ratios = dict.fromkeys([*blocks, *deeper, "time_embed.", "label_emb.", "out."], 0.0)
    merged = node(FIRST, SECOND, **(ratios | {f"input_blocks.1{dot}": 1.0}))
    assert torch.equal(weight(merged, DOWN), weight(FIRST, DOWN))
    assert torch.equal(weight(merged, UP), weight(SECOND, UP))
    second_block = "input_blocks.2.0.op.weight"
    assert torch.equal(weight(merged, second_block), weight(SECOND, second_block))


def test_a_difference_is_multiplied_as_a_whole_and_can_be_added() -> None:
    difference = model_merge_subtract(FIRST, SECOND, 0.5)
    torch.testing.assert_close(weight(difference), 0.5 * (weight(FIRST) - weight(SECOND)))
    there_and_back = model_merge_add(model_merge_subtract(FIRST, SECOND, 1.0), SECOND)
    torch.testing.assert_close(weight(there_and_back), weight(FIRST))


def test_mixtures_of_mixtures_and_of_a_model_with_itself_are_mixed() -> None:
    third = model(3)
    inner = model_merge_simple(SECOND, third, 0.5)
    merged = model_merge_simple(FIRST, inner, 0.5)
    expected = 0.5 * weight(FIRST) + 0.25 * weight(SECOND) + 0.25 * weight(third)
    torch.testing.assert_close(weight(merged), expected)
    doubled = model_merge_add(FIRST, FIRST)
    with doubled.unet.on_device(doubled.weights) as unet:
        torch.testing.assert_close(unet.get_parameter(DOWN), 2 * weight(FIRST))


def test_layers_of_another_shape_stay_as_they_are() -> None:
    inpainting = Model(
        POLICY.resident(at_random(UNet(replace(UNET, in_channels=9))), torch.float32), FIRST.latent_format
    )
    merged = model_merge_add(inpainting, FIRST)
    assert torch.equal(weight(merged, "input_blocks.0.0.weight"), weight(inpainting, "input_blocks.0.0.weight"))
    torch.testing.assert_close(weight(merged), weight(inpainting) + weight(FIRST))


def test_models_of_different_kinds_are_refused() -> None:
    with pytest.raises(MixMismatchError, match="of the same family"):
        model_merge_simple(FIRST, Model(clip().encoder, FIRST.latent_format), 0.5)  # pyright: ignore


def test_text_encoders_are_mixed_alike() -> None:
    first, second = clip(1), clip(2)
    name = "clip_l.text_model.encoder.layers.0.mlp.fc1.weight"
    one, other = first.encoder.parameter(name), second.encoder.parameter(name)
    for merged, expected in (
        (clip_merge_simple(first, second, 0.25), 0.25 * one + 0.75 * other),
        (clip_merge_add(first, second), one + other),
        (clip_merge_subtract(first, second, 2.0), 2 * (one - other)),
    ):
        torch.testing.assert_close(merged.encoder.parameter(name, merged.weights), expected)
