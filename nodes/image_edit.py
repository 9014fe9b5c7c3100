"""Nodes that make pictures and cut, turn, pad and join them."""

from typing import Annotated, Literal, NamedTuple

import torch
from torch import Tensor

from models.outpainting import padded_for_outpainting
from models.resize import resize_image
from models.stitching import Direction, stitched
from nodes.image import ImageAndMask
from nodes.mask import Color
from nodes.sizes import BatchSize, LatentOffset, Offset, Side
from nodes.sockets import IMAGE
from nodes.spec import Help, Number, Socket, node

INT = Annotated[int, Socket("INT")]
Rotation = Literal["none", "90 degrees", "180 degrees", "270 degrees"]
Flip = Literal["x-axis: vertically", "y-axis: horizontally"]
ROTATIONS = ("none", "90 degrees", "180 degrees", "270 degrees")
COLORS = {
    "white": (1.0, 1.0, 1.0),
    "black": (0.0, 0.0, 0.0),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
}


class ImageSize(NamedTuple):
    """The sides of pictures in pixels, and how many there are."""

    width: INT
    height: INT
    batch_size: INT


@node("EmptyImage", name="Empty Image", category="image")
def empty_image(width: Side = 512, height: Side = 512, batch_size: BatchSize = 1, color: Color = 0) -> IMAGE:
    """A picture of one color everywhere."""
    levels = torch.tensor([color >> 16 & 255, color >> 8 & 255, color & 255]) / 255
    return levels.expand(batch_size, height, width, 3).clone()


@node("GetImageSize", name="Get Image Size", category="image", outputs=("width", "height", "batch_size"))
def get_image_size(image: IMAGE) -> ImageSize:
    """Tells how large a picture is, and how many pictures a batch holds."""
    return ImageSize(image.shape[2], image.shape[1], image.shape[0])


@node("ImageCrop", name="Crop Image (DEPRECATED)", category="image/transform", deprecated=True)
def image_crop(image: IMAGE, width: Side = 512, height: Side = 512, x: Offset = 0, y: Offset = 0) -> IMAGE:
    """Cuts a rectangle out of a picture; what would lie outside is left away."""
    left, top = min(x, image.shape[2] - 1), min(y, image.shape[1] - 1)
    return image[:, top : top + height, left : left + width]


@node("ImageRotate", name="Rotate Image", category="image/transform")
def image_rotate(image: IMAGE, rotation: Rotation) -> IMAGE:
    """Turns a picture clockwise by quarters."""
    return torch.rot90(image, ROTATIONS.index(rotation), dims=(2, 1))


@node("ImageFlip", name="Flip Image", category="image/transform")
def image_flip(image: IMAGE, flip_method: Flip) -> IMAGE:
    """Mirrors a picture."""
    return image.flip(1 if flip_method.startswith("x") else 2)


@node("ImagePadForOutpaint", name="Pad Image for Outpainting", category="image/transform")
def image_pad_for_outpaint(
    *,
    image: IMAGE,
    left: LatentOffset = 0,
    top: LatentOffset = 0,
    right: LatentOffset = 0,
    bottom: LatentOffset = 0,
    feathering: Annotated[Offset, Help("Pixels over which old and new fade into each other", advanced=True)] = 40,
) -> ImageAndMask:
    """Adds a gray border to a picture, to be painted on, with the mask that says where."""
    return ImageAndMask(*padded_for_outpainting(image, left, top, right, bottom, feathering))


@node("ImageStitch", name="Stitch Images", category="image/transform")
def image_stitch(
    image1: IMAGE,
    direction: Direction = "right",
    match_image_size: Annotated[bool, Help("Scales the second picture to the side where they meet")] = True,
    spacing_width: Annotated[int, Number(0, 1024, step=2), Help(advanced=True)] = 0,
    spacing_color: Annotated[Literal["white", "black", "red", "green", "blue"], Help(advanced=True)] = "white",
    image2: IMAGE | None = None,
) -> IMAGE:
    """Puts one picture beside, above or below another."""
    if image2 is None:
        return image1
    if match_image_size:
        image2 = _matched(image2, image1, sideways=direction in ("left", "right"))
    return stitched(image1, image2, direction, spacing_width, COLORS[spacing_color])


def _matched(image: Tensor, other: Tensor, sideways: bool) -> Tensor:
    """The picture scaled to the other's height, or to its width."""
    aspect = image.shape[2] / image.shape[1]
    if sideways:
        width, height = int(other.shape[1] * aspect), other.shape[1]
    else:
        width, height = other.shape[2], int(other.shape[2] / aspect)
    return resize_image(image, max(1, width), max(1, height), "lanczos")
