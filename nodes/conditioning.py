"""Nodes that change conditioning: mix it, and say where, when and how strongly it is heard."""

from dataclasses import replace
from typing import Annotated, Literal

import torch
from torch import Tensor

from models.conditioning import Area, Cond, FractionalArea
from nodes.sockets import CONDITIONING, MASK
from nodes.spec import Help, Number, node

STRIDE = 8
"""Pixels of the picture for one of the latent, as areas in pixels are counted."""

Side = Annotated[int, Number(64, 16384, step=8)]
Offset = Annotated[int, Number(0, 16384, step=8)]
Share = Annotated[float, Number(0, 1.0, step=0.01)]
Strength = Annotated[float, Number(0.0, 10.0, step=0.01)]
Percent = Annotated[float, Number(0.0, 1.0, step=0.001)]


class EmptyConditioningError(ValueError):
    """Conditioning without any entry was wired to a node that needs one."""


def _first(conditioning: CONDITIONING, name: str) -> Cond:
    if not conditioning:
        raise EmptyConditioningError(f"the conditioning wired to {name} holds no prompt")
    return conditioning[0]


@node("ConditioningCombine", name="Conditioning (Combine)", category="model/conditioning/transform")
def conditioning_combine(conditioning_1: CONDITIONING, conditioning_2: CONDITIONING) -> CONDITIONING:
    """Lets both be heard: each predicts by itself, and the predictions are averaged where they overlap."""
    return conditioning_1 + conditioning_2


@node("ConditioningConcat", name="Conditioning (Concat)", category="model/conditioning/transform")
def conditioning_concat(conditioning_to: CONDITIONING, conditioning_from: CONDITIONING) -> CONDITIONING:
    """Appends the tokens of one prompt to another, as if it were longer: of the first entry of conditioning_from."""
    added = _first(conditioning_from, "conditioning_from").context
    for cond in conditioning_to:
        _check_width(cond.context, added)
    return tuple(replace(cond, context=torch.cat([cond.context, added], dim=1)) for cond in conditioning_to)


@node("ConditioningAverage", name="Conditioning (Average)", category="model/conditioning/transform")
def conditioning_average(
    conditioning_to: CONDITIONING,
    conditioning_from: CONDITIONING,
    conditioning_to_strength: Annotated[float, Number(0.0, 1.0, step=0.01)] = 1.0,
) -> CONDITIONING:
    """Blends the features of two prompts token by token: at 1 it is all conditioning_to, at 0 all conditioning_from.

    Of conditioning_from the first entry counts, cut or filled up with zeros to the length of the other.
    """
    other, share = _first(conditioning_from, "conditioning_from"), conditioning_to_strength
    return tuple(_blended(cond, other, share) for cond in conditioning_to)


def _blended(cond: Cond, other: Cond, share: float) -> Cond:
    _check_width(cond.context, other.context)
    added = other.context[:, : cond.context.shape[1]]
    missing = cond.context.shape[1] - added.shape[1]
    added = torch.cat([added, added.new_zeros(len(added), missing, added.shape[2])], dim=1)
    pooled = other.pooled if cond.pooled is None else cond.pooled
    if cond.pooled is not None and other.pooled is not None:
        _check_width(cond.pooled, other.pooled)
        pooled = cond.pooled * share + other.pooled * (1 - share)
    return replace(cond, context=cond.context * share + added * (1 - share), pooled=pooled)


def _check_width(one: Tensor, other: Tensor) -> None:
    if one.shape[-1] != other.shape[-1]:
        raise ValueError(
            f"the two prompts have features of widths {one.shape[-1]} and {other.shape[-1]}: encode both with the text "
            "encoder of the same model"
        )


@node("ConditioningMultiply", name="Conditioning (Multiply)", category="model/conditioning/transform")
def conditioning_multiply(
    conditioning: CONDITIONING, multiplier: Annotated[float, Number(-100.0, 100.0, step=0.01)] = 1.0
) -> CONDITIONING:
    """Multiplies the features of a prompt and its pooled output by a number."""
    return tuple(_scaled(cond, multiplier) for cond in conditioning)


@node("ConditioningZeroOut", name="Conditioning Zero Out", category="model/conditioning/transform")
def conditioning_zero_out(conditioning: CONDITIONING) -> CONDITIONING:
    """Sets the features of a prompt and its pooled output to zero: no prompt at all, unlike an empty one."""
    return tuple(_scaled(cond, 0.0) for cond in conditioning)


def _scaled(cond: Cond, factor: float) -> Cond:
    pooled = None if cond.pooled is None else cond.pooled * factor
    return replace(cond, context=cond.context * factor, pooled=pooled)


@node("ConditioningSetArea", name="Conditioning (Set Area)", category="model/conditioning/transform")
def conditioning_set_area(
    conditioning: CONDITIONING,
    width: Side = 64,
    height: Side = 64,
    x: Offset = 0,
    y: Offset = 0,
    strength: Strength = 1.0,
) -> CONDITIONING:
    """Lets a prompt be heard in a rectangle of the picture only, given in pixels."""
    area = Area(height // STRIDE, width // STRIDE, y // STRIDE, x // STRIDE)
    return tuple(replace(cond, area=area, strength=strength, mask_bounds=False) for cond in conditioning)


@node(
    "ConditioningSetAreaPercentage",
    name="Conditioning (Set Area with Percentage)",
    category="model/conditioning/transform",
)
def conditioning_set_area_percentage(
    conditioning: CONDITIONING,
    width: Share = 1.0,
    height: Share = 1.0,
    x: Share = 0,
    y: Share = 0,
    strength: Strength = 1.0,
) -> CONDITIONING:
    """Lets a prompt be heard in a rectangle of the picture only, given in shares of its sides."""
    area = FractionalArea(height, width, y, x)
    return tuple(replace(cond, area=area, strength=strength, mask_bounds=False) for cond in conditioning)


@node("ConditioningSetAreaStrength", name="Conditioning (Set Area Strength)", category="model/conditioning/transform")
def conditioning_set_area_strength(conditioning: CONDITIONING, strength: Strength = 1.0) -> CONDITIONING:
    """Says how strongly a prompt is heard beside the others."""
    return tuple(replace(cond, strength=strength) for cond in conditioning)


@node("ConditioningSetMask", name="Conditioning (Set Mask)", category="model/conditioning/transform")
def conditioning_set_mask(
    *,
    conditioning: CONDITIONING,
    mask: MASK,
    strength: Strength = 1.0,
    set_cond_area: Annotated[
        Literal["default", "mask bounds"], Help("mask bounds limits the work to the rectangle around the mask")
    ],
) -> CONDITIONING:
    """Lets a prompt be heard where the mask is white, and softly where it is gray."""
    mask = mask if mask.ndim == 3 else mask[None]
    bounds = set_cond_area == "mask bounds"
    return tuple(replace(cond, mask=mask, mask_strength=strength, mask_bounds=bounds) for cond in conditioning)


@node("ConditioningSetTimestepRange", category="model/conditioning/transform")
def conditioning_set_timestep_range(
    conditioning: CONDITIONING, start: Percent = 0.0, end: Percent = 1.0
) -> CONDITIONING:
    """Lets a prompt be heard only from one share of the way from noise to picture to another."""
    return tuple(replace(cond, start=start, end=end) for cond in conditioning)
