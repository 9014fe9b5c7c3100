"""Nodes that lay pictures over each other and treat their transparency."""

from typing import Annotated

import torch
from torch import Tensor

from models.batches import repeated_to
from models.compositing import mask_of_size, paste
from models.porter_duff import OPERATORS, composite
from models.resize import resize_image
from models.stitching import with_same_channels
from nodes.image import ImageAndMask
from nodes.mask import as_batch
from nodes.sizes import Offset
from nodes.sockets import IMAGE, MASK
from nodes.spec import Choice, Help, node


@node("ImageCompositeMasked", name="Image Composite Masked", category="image/compositing")
def image_composite_masked(
    destination: IMAGE,
    source: IMAGE,
    x: Offset = 0,
    y: Offset = 0,
    resize_source: Annotated[bool, Help("Brings the source to the destination's size")] = False,
    mask: MASK | None = None,
) -> IMAGE:
    """Lays one picture over another at x, y, where the mask is white or everywhere."""
    destination_channels = destination.shape[-1]
    source = with_same_channels(destination, source[..., :destination_channels])[1]
    covering = torch.ones(1, *source.shape[1:3]) if mask is None else mask
    return paste(destination.movedim(-1, 1), source.movedim(-1, 1), x, y, covering, resize_source).movedim(1, -1)


@node("PorterDuffImageComposite", name="Porter-Duff Image Composite", category="image/compositing")
def porter_duff_image_composite(
    source: IMAGE,
    source_alpha: MASK,
    destination: IMAGE,
    destination_alpha: MASK,
    mode: Annotated[str, Choice(tuple(OPERATORS))] = "DST",
) -> ImageAndMask:
    """Combines two pictures by their transparency (masks: 1 is transparent) and blend mode."""
    count = min(len(source), len(destination), len(as_batch(source_alpha)), len(as_batch(destination_alpha)))
    height, width = source.shape[1:3]
    if destination.shape[1:3] != source.shape[1:3]:
        destination = resize_image(destination, width, height, "bicubic", center=True)
    alphas = (_alpha(mask, height, width)[:count] for mask in (source_alpha, destination_alpha))
    colors = (image[:count, ..., :3].movedim(-1, 1) for image in (source, destination))
    (source_color, destination_color), (source_share, destination_share) = colors, alphas
    color, alpha = composite(source_color, source_share, destination_color, destination_share, mode)
    return ImageAndMask(color.movedim(1, -1), 1 - alpha[:, 0])


def _alpha(mask: Tensor, height: int, width: int) -> Tensor:
    """A mask of transparency as alpha (n, 1, height, width)."""
    gray = as_batch(mask).unsqueeze(-1)
    if gray.shape[1:3] != (height, width):
        gray = resize_image(gray, width, height, "bicubic", center=True)
    return 1 - gray.movedim(-1, 1)


@node("SplitImageWithAlpha", name="Split Image with Alpha", category="image/compositing")
def split_image_with_alpha(image: IMAGE) -> ImageAndMask:
    """Takes a picture apart into its colors and the mask of what is transparent."""
    opaque = image.new_ones(image.shape[:3])
    return ImageAndMask(image[..., :3], 1 - (image[..., 3] if image.shape[-1] > 3 else opaque))


@node("JoinImageWithAlpha", name="Join Image with Alpha", category="image/compositing")
def join_image_with_alpha(image: IMAGE, alpha: MASK) -> IMAGE:
    """Makes a picture transparent where the mask is white."""
    count = max(len(image), len(as_batch(alpha)))
    opacity = 1 - mask_of_size(alpha, *image.shape[1:3]).movedim(1, -1).to(image)
    return torch.cat([repeated_to(image[..., :3], count), repeated_to(opacity, count)], dim=-1)
