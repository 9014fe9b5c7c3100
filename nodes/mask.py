"""Nodes that make, change and combine masks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor

from models.compositing import feathered_edges, mask_of_size
from models.morphology import grown
from nodes.sizes import MAX_SIDE, Offset, Side
from nodes.sockets import IMAGE, MASK
from nodes.spec import Grows, Help, Number, node

Color = Annotated[int, Number(0, 0xFFFFFF), Help("Red, green and blue as one number, 0xRRGGBB")]
Share = Annotated[float, Number(0.0, 1.0, step=0.01)]
ColorChannel = Literal["red", "green", "blue", "alpha"]

Operation = Literal["multiply", "add", "subtract", "and", "or", "xor"]
OPERATIONS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "multiply": lambda a, b: a * b,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "and": lambda a, b: (a.round().bool() & b.round().bool()).float(),
    "or": lambda a, b: (a.round().bool() | b.round().bool()).float(),
    "xor": lambda a, b: (a.round().bool() ^ b.round().bool()).float(),
}


@node("MaskToImage", name="Convert Mask to Image", category="image/mask")
def mask_to_image(mask: MASK) -> IMAGE:
    """Shows a mask as a gray picture."""
    return as_batch(mask).unsqueeze(-1).expand(-1, -1, -1, 3).contiguous()


@node("ImageToMask", name="Convert Image to Mask", category="image/mask")
def image_to_mask(image: IMAGE, channel: ColorChannel) -> MASK:
    """Takes one color of a picture, or its alpha, as a mask."""
    index = ("red", "green", "blue", "alpha").index(channel)
    if index >= image.shape[-1]:
        raise ValueError(f"the picture has no {channel} channel: choose red, green or blue")
    return image[..., index]


@node("ImageColorToMask", name="Convert Image Color to Mask", category="image/mask")
def image_color_to_mask(image: IMAGE, color: Color = 0) -> MASK:
    """Marks the pixels that have exactly this color."""
    levels = (image[..., :3].clamp(0, 1) * 255).round().int()
    wanted = torch.tensor([color >> 16, (color >> 8) & 255, color & 255], dtype=torch.int, device=image.device)
    return (levels == wanted).all(dim=-1).float()


@node("SolidMask", name="Create Solid Mask", category="image/mask")
def solid_mask(value: Share = 1.0, width: Side = 512, height: Side = 512) -> MASK:
    """A mask of one value everywhere."""
    return torch.full((1, height, width), value)


@node("InvertMask", name="Invert Mask", category="image/mask")
def invert_mask(mask: MASK) -> MASK:
    """Swaps what is masked and what is not."""
    return 1 - mask


@node("BatchMasksNode", name="Batch Masks", category="image/mask")
def batch_masks(masks: Annotated[Sequence[MASK], Grows("mask", max=50)]) -> MASK:
    """Puts any number of masks into one batch; all are brought to the size of the first."""
    height, width = masks[0].shape[-2:]
    return torch.cat([mask_of_size(mask, height, width).squeeze(1) for mask in masks])


@node("CropMask", name="Crop Mask", category="image/mask")
def crop_mask(mask: MASK, x: Offset = 0, y: Offset = 0, width: Side = 512, height: Side = 512) -> MASK:
    """Cuts a rectangle out of a mask; what would lie outside is left away."""
    mask = as_batch(mask)
    if x >= mask.shape[-1] or y >= mask.shape[-2]:
        raise ValueError(f"x {x}, y {y} lies outside the mask, which is {mask.shape[-1]} × {mask.shape[-2]} pixels")
    return mask[:, y : y + height, x : x + width]


@node("MaskComposite", name="Combine Masks", category="image/mask")
def mask_composite(*, destination: MASK, source: MASK, x: Offset = 0, y: Offset = 0, operation: Operation) -> MASK:
    """Combines one mask with another laid over it at x, y."""
    result, source = as_batch(destination).clone(), as_batch(source)
    place = result[:, y : y + source.shape[-2], x : x + source.shape[-1]]
    covering = source[:, : place.shape[-2], : place.shape[-1]].to(place)
    place.copy_(OPERATIONS[operation](place, covering))
    return result.clamp(0, 1)


@node("FeatherMask", name="Feather Mask", category="image/mask")
def feather_mask(mask: MASK, left: Offset = 0, top: Offset = 0, right: Offset = 0, bottom: Offset = 0) -> MASK:
    """Lets a mask fade towards its sides, each over so many pixels."""
    mask = as_batch(mask)
    height, width = mask.shape[-2:]
    sides = min(left, width), min(top, height), min(right, width), min(bottom, height)
    return mask * feathered_edges(height, width, *sides).to(mask)


@node("GrowMask", name="Grow Mask", category="image/mask")
def grow_mask(
    mask: MASK,
    expand: Annotated[int, Number(-MAX_SIDE, MAX_SIDE), Help("Pixels to grow by; a negative number shrinks")] = 0,
    tapered_corners: Annotated[bool, Help("Points become diamonds instead of squares", advanced=True)] = True,
) -> MASK:
    """Grows or shrinks what is masked."""
    return grown(as_batch(mask), expand, tapered_corners)


@node("ThresholdMask", name="Threshold Mask", category="image/mask")
def threshold_mask(mask: MASK, value: Share = 0.5) -> MASK:
    """Makes a mask hard: 1 above the value, 0 elsewhere."""
    return (mask > value).float()


def as_batch(mask: Tensor) -> Tensor:
    """A mask (…, h, w) as (n, h, w), for nodes of packs hand on single ones too."""
    return mask.reshape(-1, *mask.shape[-2:])
