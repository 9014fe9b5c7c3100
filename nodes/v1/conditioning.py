"""Conditioning as foreign nodes hold it, [[features, {"pooled_output": …}], …], and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard, runtime_checkable

from torch import Tensor

from models.conditioning import (
    Area,
    Boxes,
    Concat,
    Cond,
    Conditioning,
    Control,
    FractionalArea,
    ImagePrompt,
    PictureSize,
)

ForeignConditioning = list[list[Any]]
PERCENTAGE = "percentage"
SIZE_KEYS = ("width", "height", "crop_w", "crop_h", "target_width", "target_height")
PLAIN_KEYS = {
    "pooled_output": "pooled",
    "strength": "strength",
    "mask": "mask",
    "mask_strength": "mask_strength",
    "set_area_to_bounds": "mask_bounds",
    "start_percent": "start",
    "end_percent": "end",
    "aesthetic_score": "aesthetic",
    "control_apply_to_uncond": "controls_shared",
    "cross_attn_controlnet": "control_context",
}
"""Keys of the dictionary whose values are those of a field."""
PARTS_OF_KEYS = frozenset(
    {*PLAIN_KEYS, *SIZE_KEYS, "area", "control", "concat_latent_image", "concat_mask", "unclip_conditioning", "gligen"}
)
DEFAULTS = {field: getattr(Cond, field) for field in PLAIN_KEYS.values()}


@runtime_checkable
class HoldsControls(Protocol):
    """What may stand in an entry of a conditioning to steer the model."""

    @property
    def controls(self) -> tuple[Control, ...]:
        """In the order in which they were put there."""
        ...


@dataclass(frozen=True)
class ForeignControl:
    """The controls of one entry, which foreign nodes hand on, and tell from others, without looking inside."""

    controls: tuple[Control, ...]


@dataclass(frozen=True, eq=False)
class ForeignBoxes:
    """The boxes of one entry, which foreign nodes hand on without looking inside."""

    boxes: Boxes


@dataclass(frozen=True, eq=False)
class EncodedPicture:
    """What a vision network has made of a picture, by the name foreign nodes ask for."""

    image_embeds: Tensor


def conditioning_to_foreign(conditioning: Conditioning) -> ForeignConditioning:
    """A new list that the node may change."""
    return [[cond.context, _dictionary(cond)] for cond in conditioning]


def is_conditioning(value: Any) -> TypeGuard[ForeignConditioning]:
    """Whether a value is a conditioning as foreign nodes write it, with one entry at least."""
    return isinstance(value, list) and bool(value) and all(_is_entry(entry) for entry in value)


def _is_entry(entry: Any) -> bool:
    is_pair = isinstance(entry, list | tuple) and len(entry) == 2
    return is_pair and isinstance(entry[0], Tensor) and isinstance(entry[1], dict)


def conditioning_to_ours(conditioning: Sequence[Sequence[Any]]) -> Conditioning:
    """The entries as values that nobody changes."""
    return tuple(_cond(entry[0], entry[1]) for entry in conditioning)


def _dictionary(cond: Cond) -> dict[str, Any]:
    found: dict[str, Any] = dict(cond.extra)
    for key, field in PLAIN_KEYS.items():
        value = getattr(cond, field)
        if value is not DEFAULTS[field] and (isinstance(value, Tensor) or value != DEFAULTS[field]):
            found[key] = value
    found.setdefault("pooled_output", cond.pooled)
    match cond.area:
        case Area(height, width, y, x):
            found["area"] = (height, width, y, x)
        case FractionalArea(height, width, y, x):
            found["area"] = (PERCENTAGE, height, width, y, x)
    if cond.size is not None:
        found |= {key: value for key in SIZE_KEYS if (value := getattr(cond.size, key)) is not None}
    if cond.concat is not None:
        found |= {"concat_latent_image": cond.concat.latent, "concat_mask": cond.concat.mask}
    if cond.images:
        found["unclip_conditioning"] = [
            {
                "clip_vision_output": EncodedPicture(image.embeds),
                "strength": image.strength,
                "noise_augmentation": image.noise_augmentation,
            }
            for image in cond.images
        ]
    if cond.boxes is not None:
        found["gligen"] = ForeignBoxes(cond.boxes)
    if cond.controls:
        found["control"] = ForeignControl(cond.controls)
    return found


def _cond(context: Tensor, found: Mapping[str, Any]) -> Cond:
    fields = {field: found[key] for key, field in PLAIN_KEYS.items() if found.get(key) is not None}
    control, boxes = found.get("control"), found.get("gligen")
    not_ours = {
        key
        for key, value, kind in (("control", control, HoldsControls), ("gligen", boxes, ForeignBoxes))
        if value is not None and not isinstance(value, kind)
    }
    return Cond(
        context,
        **fields,
        area=_area(found.get("area")),
        size=_size(found),
        concat=_concat(found),
        images=tuple(_image(image) for image in found.get("unclip_conditioning") or ()),
        controls=control.controls if isinstance(control, HoldsControls) else (),
        boxes=boxes.boxes if isinstance(boxes, ForeignBoxes) else None,
        extra={key: value for key, value in found.items() if key not in PARTS_OF_KEYS or key in not_ours},
    )


def _area(area: Any) -> Area | FractionalArea | None:
    if area is None:
        return None
    if area[0] == PERCENTAGE:
        return FractionalArea(*(float(side) for side in area[1:5]))
    return Area(*(int(side) for side in area[:4]))


def _size(found: Mapping[str, Any]) -> PictureSize | None:
    if "width" not in found or "height" not in found:
        return None
    return PictureSize(**{key: int(found[key]) for key in SIZE_KEYS if found.get(key) is not None})


def _concat(found: Mapping[str, Any]) -> Concat | None:
    latent = found.get("concat_latent_image")
    return None if latent is None else Concat(latent, found.get("concat_mask"))


def _image(image: Mapping[str, Any]) -> ImagePrompt:
    embeds = image["clip_vision_output"].image_embeds
    return ImagePrompt(embeds, float(image.get("strength", 1.0)), float(image.get("noise_augmentation", 0.0)))
