"""`node_helpers`: small functions that nodes of ComfyUI's own share with packs."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from PIL import Image, ImageFile, UnidentifiedImageError


def conditioning_set_values(conditioning: Any, values: Mapping[str, Any] | None = None, append: bool = False) -> Any:
    """The conditioning with these keys set in every entry, or with more in lists that are there."""
    changed = []
    for features, noted in conditioning:
        entry = dict(noted)
        for key, value in (values or {}).items():
            entry[key] = [*entry[key], *value] if append and key in entry else value
        changed.append([features, entry])
    return changed


def pillow(function: Callable[..., Any], argument: Any) -> Any:
    """What a function of Pillow's makes of a file, even one that is cut off at its end."""
    try:
        return function(argument)
    except (OSError, UnidentifiedImageError, ValueError):
        before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
        try:
            return function(argument)
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before


def image_alpha_fix(destination: Any, source: Any) -> tuple[Any, Any]:
    """Both pictures (b, h, w, c) with as many channels: a full alpha is added, or one that is too many cut off."""
    if destination.shape[-1] < source.shape[-1]:
        source = source[..., : destination.shape[-1]]
    elif destination.shape[-1] > source.shape[-1]:
        filled = destination.new_ones(*source.shape[:-1], destination.shape[-1])
        filled[..., : source.shape[-1]] = source
        source = filled
    return destination, source


def hasher() -> Callable[..., Any]:
    """The function that makes a hash of a file's bytes."""
    return hashlib.sha256


def string_to_torch_dtype(string: str) -> torch.dtype | None:
    """A precision by the short name that settings have for it, None for others."""
    return {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}.get(string)


def open_image(path: str) -> Image.Image:
    """A picture from a file."""
    return pillow(Image.open, path)
