"""Nodes that mix two models, or two text encoders, weight by weight."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from models.types import Clip, Model
from models.weights.mixing import Shares, mixture
from nodes.sockets import CLIP, MODEL, present
from nodes.spec import NODE_ATTRIBUTE, Help, InputSpec, NodeSpec, Number, OutputSpec, node

Ratio = Annotated[float, Number(0.0, 1.0, 0.01), Help("How much of the first; the rest is of the second.")]
Multiplier = Annotated[float, Number(-10.0, 10.0, 0.01), Help("What the difference is multiplied by.")]

SD_BLOCKS = (
    "time_embed.", "label_emb.",
    *(f"input_blocks.{number}." for number in range(12)),
    *(f"middle_block.{number}." for number in range(3)),
    *(f"output_blocks.{number}." for number in range(12)),
    "out.",
)  # fmt: skip
SDXL_BLOCKS = (
    "time_embed.", "label_emb.",
    *(f"input_blocks.{number}" for number in range(9)),
    *(f"middle_block.{number}" for number in range(3)),
    *(f"output_blocks.{number}" for number in range(9)),
    "out.",
)  # fmt: skip


@node("ModelMergeSimple", category="model/merging")
def model_merge_simple(model1: MODEL, model2: MODEL, ratio: Ratio = 1.0) -> MODEL:
    """Mixes two models: first · ratio + second · (1 − ratio)."""
    return mixed(model1, model2, {"": _shares(ratio)})


@node("ModelMergeBlocks", category="model/merging")
def model_merge_blocks(
    model1: MODEL, model2: MODEL, input: Ratio = 1.0, middle: Ratio = 1.0, out: Ratio = 1.0
) -> MODEL:
    """Mixes two models with a ratio of its own for the way down, the middle and the way up."""
    return mixed(model1, model2, {"input": _shares(input), "middle": _shares(middle), "out": _shares(out)})


@node("ModelMergeAdd", category="model/merging")
def model_merge_add(model1: MODEL, model2: MODEL) -> MODEL:
    """Adds a model, most often a difference, to another."""
    return mixed(model1, model2, {"": Shares(1.0, 1.0)})


@node("ModelMergeSubtract", category="model/merging")
def model_merge_subtract(model1: MODEL, model2: MODEL, multiplier: Multiplier = 1.0) -> MODEL:
    """Gives the difference of two models: (first − second) · multiplier."""
    return mixed(model1, model2, {"": Shares(multiplier, -multiplier)})


@node("CLIPMergeSimple", category="model/merging")
def clip_merge_simple(clip1: CLIP, clip2: CLIP, ratio: Ratio = 1.0) -> CLIP:
    """Mixes two text encoders: first · ratio + second · (1 − ratio)."""
    return mixed_clip(clip1, clip2, _shares(ratio))


@node("CLIPMergeAdd", category="model/merging")
def clip_merge_add(clip1: CLIP, clip2: CLIP) -> CLIP:
    """Adds a text encoder, most often a difference, to another."""
    return mixed_clip(clip1, clip2, Shares(1.0, 1.0))


@node("CLIPMergeSubtract", category="model/merging")
def clip_merge_subtract(clip1: CLIP, clip2: CLIP, multiplier: Multiplier = 1.0) -> CLIP:
    """Gives the difference of two text encoders: (first − second) · multiplier."""
    return mixed_clip(clip1, clip2, Shares(multiplier, -multiplier))


def _shares(ratio: float) -> Shares:
    return Shares(ratio, 1.0 - ratio)


def mixed(model: Model, other: Model, shares: Mapping[str, Shares]) -> Model:
    """Returns the first model with the second mixed into it, by shares for prefixes of names."""
    first, second = present(model, "model"), present(other, "model")
    change = mixture(first.unet, second.unet, second.weights, shares)
    return replace(first, weights=(*first.weights, change))


def mixed_clip(clip: Clip, other: Clip, shares: Shares) -> Clip:
    """Returns the first text encoder with the second mixed into it."""
    first, second = present(clip, "text encoder"), present(other, "text encoder")
    change = mixture(first.encoder, second.encoder, second.weights, {"": shares})
    return replace(first, weights=(*first.weights, change))


class _ByBlock:
    """A node that mixes two models with a ratio for each block; inputs are named like the blocks."""

    def __init__(self, id: str, blocks: tuple[str, ...]) -> None:
        self.__module__ = __name__
        self._blocks = blocks
        models = [InputSpec(name, "MODEL") for name in ("model1", "model2")]
        ratios = [InputSpec(block, "FLOAT", Number(0.0, 1.0, 0.01), 1.0) for block in blocks]
        spec = NodeSpec(
            id=id,
            display_name=id,
            category="model/merging/model specific",
            description="Mixes two models of a family with a ratio for each block: how much of the first.",
            inputs=(*models, *ratios),
            outputs=(OutputSpec("MODEL", "MODEL"),),
            function=self,
        )
        setattr(self, NODE_ATTRIBUTE, spec)

    def __call__(self, model1: Model, model2: Model, **ratios: float) -> Model:
        return mixed(model1, model2, {block: _shares(ratios[block]) for block in self._blocks})


model_merge_sd1 = _ByBlock("ModelMergeSD1", SD_BLOCKS)
model_merge_sd2 = _ByBlock("ModelMergeSD2", SD_BLOCKS)
model_merge_sdxl = _ByBlock("ModelMergeSDXL", SDXL_BLOCKS)
