"""Nodes that change the size of pictures."""

import math
from typing import Annotated, Literal

import torch

from models.resize import ImageResizeMethod, resize_image
from nodes.sizes import Side, SideOrZero
from nodes.sockets import IMAGE
from nodes.spec import Choice, Help, Number, node

Crop = Literal["disabled", "center"]
MEGAPIXEL = 1024 * 1024


@node("ImageScale", name="Upscale Image", category="image/upscaling")
def image_scale(
    *,
    image: IMAGE,
    upscale_method: ImageResizeMethod,
    width: SideOrZero = 512,
    height: SideOrZero = 512,
    crop: Crop,
) -> IMAGE:
    """Enlarges or shrinks a picture; a side of 0 follows from the other."""
    old_height, old_width = image.shape[1:3]
    if width == 0 and height == 0:
        return image
    if width == 0:
        width = max(1, round(old_width * height / old_height))
    elif height == 0:
        height = max(1, round(old_height * width / old_width))
    return resize_image(image, width, height, upscale_method, crop == "center")


@node("ImageScaleBy", name="Upscale Image By", category="image/upscaling")
def image_scale_by(
    image: IMAGE, upscale_method: ImageResizeMethod, scale_by: Annotated[float, Number(0.01, 8.0, step=0.01)] = 1.0
) -> IMAGE:
    """Enlarges or shrinks a picture by a factor."""
    height, width = (max(1, round(side * scale_by)) for side in image.shape[1:3])
    return resize_image(image, width, height, upscale_method)


@node("ImageScaleToTotalPixels", name="Scale Image to Total Pixels", category="image/upscaling")
def image_scale_to_total_pixels(
    image: IMAGE,
    upscale_method: ImageResizeMethod,
    megapixels: Annotated[float, Number(0.01, 16.0, step=0.01), Help("One is 1024 × 1024 pixels")] = 1.0,
    resolution_steps: Annotated[
        int, Number(1, 256), Help("Sides become multiples of this", advanced=True, late=True)
    ] = 1,
) -> IMAGE:
    """Scales a picture so that it has so many pixels in all."""
    scale = math.sqrt(megapixels * MEGAPIXEL / (image.shape[1] * image.shape[2]))
    height, width = (
        max(resolution_steps, round(side * scale / resolution_steps) * resolution_steps) for side in image.shape[1:3]
    )
    return resize_image(image, width, height, upscale_method)


@node("ImageScaleToMaxDimension", name="Scale Image to Max Dimension", category="image/upscaling")
def image_scale_to_max_dimension(
    image: IMAGE,
    upscale_method: Annotated[str, Choice(("area", "lanczos", "bilinear", "nearest-exact", "bilinear", "bicubic"))],
    largest_size: SideOrZero = 512,
) -> IMAGE:
    """Scales a picture so that its longer side has so many pixels."""
    if largest_size == 0:
        raise ValueError("largest_size is 0: a picture needs at least one pixel")
    height, width = image.shape[1:3]
    longer = max(height, width)
    new_height, new_width = (max(1, round(side / longer * largest_size)) for side in (height, width))
    return resize_image(image, new_width, new_height, upscale_method)  # pyright: ignore[reportArgumentType]


@node("ResizeAndPadImage", name="Resize And Pad Image", category="image/transform")
def resize_and_pad_image(
    *,
    image: IMAGE,
    target_width: Side = 512,
    target_height: Side = 512,
    padding_color: Annotated[Literal["white", "black"], Help(advanced=True)],
    interpolation: Annotated[Literal["area", "bicubic", "nearest-exact", "bilinear", "lanczos"], Help(advanced=True)],
) -> IMAGE:
    """Fits a picture into a size without changing its shape, and fills what is left with a color."""
    count, height, width, channels = image.shape
    scale = min(target_width / width, target_height / height)
    new_width, new_height = max(1, int(width * scale)), max(1, int(height * scale))
    padded = torch.full((count, target_height, target_width, channels), float(padding_color == "white")).to(image)
    left, top = (target_width - new_width) // 2, (target_height - new_height) // 2
    resized = resize_image(image, new_width, new_height, interpolation)
    padded[:, top : top + new_height, left : left + new_width] = resized
    return padded
