"""What packs write into `transformer_options`: functions that change what is computed inside a UNet."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from models.unet_patches import AttentionPatch, AttentionPatches, Place, UNetPatches
from nodes.v1 import model_patches
from nodes.v1.model_patches import Owner
from nodes.v1.runtime import NotOfferedError

ATTENTIONS = {"attn1": "self_attention", "attn2": "cross_attention"}
DEEPEST = 10
"""Transformers in the deepest block of any network; a patch without a number among them is for all of them."""

LISTS: Mapping[str, Callable[[Callable[..., Any], Owner], UNetPatches]] = {
    "attn1_patch": lambda function, owner: UNetPatches(
        self_attention=AttentionPatches(inputs=(model_patches.attention_inputs(function, owner),))
    ),
    "attn2_patch": lambda function, owner: UNetPatches(
        cross_attention=AttentionPatches(inputs=(model_patches.attention_inputs(function, owner),))
    ),
    "attn1_output_patch": lambda function, owner: UNetPatches(
        self_attention=AttentionPatches(outputs=(model_patches.features(function, owner),))
    ),
    "attn2_output_patch": lambda function, owner: UNetPatches(
        cross_attention=AttentionPatches(outputs=(model_patches.features(function, owner),))
    ),
    "middle_patch": lambda function, owner: UNetPatches(
        between_attentions=(model_patches.features(function, owner),)
    ),
    "input_block_patch": lambda function, owner: UNetPatches(after_input=(model_patches.features(function, owner),)),
    "input_block_patch_after_skip": lambda function, owner: UNetPatches(
        after_skip=(model_patches.features(function, owner),)
    ),
    "output_block_patch": lambda function, owner: UNetPatches(before_output=(model_patches.joined(function, owner),)),
}  # fmt: skip
"""What each list of functions in `transformer_options["patches"]` changes."""


def unet_patches_of(options: Mapping[str, Any], owner: Owner) -> UNetPatches:
    """Our patches of what is written in transformer options. Raises NotOfferedError for what cannot be done."""
    parts = [
        listed(name)(function, owner)
        for name, functions in options.get("patches", {}).items()
        for function in functions
    ]
    for name, by_place in options.get("patches_replace", {}).items():
        if by_place:
            parts.append(replace(UNetPatches(), **{attention_of(name): _instead(by_place, owner)}))
    return reduce(UNetPatches.plus, parts, UNetPatches())


def listed(name: str) -> Callable[[Callable[..., Any], Owner], UNetPatches]:
    if name not in LISTS:
        raise NotOfferedError(f"the patch {name!r} of a MODEL")
    return LISTS[name]


def attention_of(name: str) -> str:
    if name not in ATTENTIONS:
        raise NotOfferedError(f"a patch of {name!r} in a MODEL")
    return ATTENTIONS[name]


def _instead(by_place: Mapping[Any, Callable[..., Any]], owner: Owner) -> AttentionPatches:
    """Functions by (path, block) or (path, block, transformer); the more exact counts."""
    found: dict[Place, AttentionPatch] = {}
    for place, function in sorted(by_place.items(), key=lambda item: len(item[0])):
        path, number, *index = place
        for transformer in index or range(DEEPEST):
            found[Place(path, number, transformer)] = model_patches.attention(function, owner)
    return AttentionPatches(instead=found)


def added_to(options: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
    """The patches in transformer options that others have not."""
    patches, known = options.get("patches", {}), before.get("patches", {})
    instead, known_instead = options.get("patches_replace", {}), before.get("patches_replace", {})
    return {
        "patches": {name: _others(functions, known.get(name, ())) for name, functions in patches.items()},
        "patches_replace": {
            name: {
                place: function
                for place, function in by_place.items()
                if known_instead.get(name, {}).get(place) is not function
            }
            for name, by_place in instead.items()
        },
    }


def _others(functions: Iterable[Any], known: Iterable[Any]) -> list[Any]:
    known = list(known)
    return [function for function in functions if not any(function is one for one in known)]
