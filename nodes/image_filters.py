"""Nodes that change the colors of pictures, and find their edges."""

from typing import Annotated, Literal

import torch

from models.blending import BLEND_MODES, blended
from models.dithering import quantized
from models.edges import canny
from models.filters import blurred, sharpened
from models.morphology import OPERATIONS
from models.resize import resize_image
from models.stitching import with_same_channels
from nodes.context import Context
from nodes.sockets import IMAGE
from nodes.spec import Choice, Help, Number, node

Radius = Annotated[int, Number(1, 31)]
Threshold = Annotated[float, Number(0.01, 0.99, step=0.01)]


@node("ImageInvert", name="Invert Image Colors", category="image/color")
def image_invert(image: IMAGE) -> IMAGE:
    """Turns a picture into its negative."""
    return 1 - image


@node("ImageBlend", name="Blend Images", category="image/filters")
def image_blend(
    image1: IMAGE,
    image2: IMAGE,
    blend_factor: Annotated[float, Number(0.0, 1.0, step=0.01)] = 0.5,
    *,
    blend_mode: Annotated[str, Choice(tuple(BLEND_MODES))],
) -> IMAGE:
    """Mixes a picture with another laid over it, which is brought to its size."""
    image1, image2 = with_same_channels(image1, image2)
    height, width = image1.shape[1:3]
    if image2.shape[1:3] != (height, width):
        image2 = resize_image(image2, width, height, "bicubic", center=True)
    return blended(image1, image2, blend_mode, blend_factor)


@node("ImageBlur", name="Blur Image", category="image/filters")
def image_blur(
    image: IMAGE,
    blur_radius: Radius = 1,
    sigma: Annotated[float, Number(0.1, 10.0, step=0.1), Help("Strength, as a share of the radius")] = 1.0,
) -> IMAGE:
    """Blurs a picture with a bell curve."""
    return blurred(image.movedim(-1, 1), blur_radius, sigma).movedim(1, -1)


@node("ImageSharpen", name="Sharpen Image", category="image/filters")
def image_sharpen(
    image: IMAGE,
    sharpen_radius: Annotated[int, Number(1, 31), Help(advanced=True)] = 1,
    sigma: Annotated[float, Number(0.1, 10.0, step=0.01), Help("A share of the radius", advanced=True)] = 1.0,
    alpha: Annotated[float, Number(0.0, 5.0, step=0.01), Help("Strength", advanced=True)] = 1.0,
) -> IMAGE:
    """Sharpens a picture by adding what a blur would take away."""
    return sharpened(image.movedim(-1, 1), sharpen_radius, sigma, alpha).movedim(1, -1).clamp(0, 1)


@node("ImageQuantize", name="Quantize Image", category="image/filters")
def image_quantize(
    *,
    image: IMAGE,
    colors: Annotated[int, Number(1, 256)] = 256,
    dither: Literal["none", "floyd-steinberg", "bayer-2", "bayer-4", "bayer-8", "bayer-16"],
    context: Context,
) -> IMAGE:
    """Reduces a picture to a few colors."""
    results: list[torch.Tensor] = []
    for picture in image:
        context.check()
        results.append(quantized(picture[..., :3], colors, dither))
    return torch.stack(results)


@node("ImageAddNoise", name="Add Noise to Image", category="image/filters")
def image_add_noise(
    image: IMAGE,
    seed: Annotated[int, Number(0, 2**64 - 1, control_after_generate=True)] = 0,
    strength: Annotated[float, Number(0.0, 1.0, step=0.01)] = 0.5,
) -> IMAGE:
    """Adds normally distributed noise to each color of each pixel."""
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))
    return (image + strength * noise.to(image)).clamp(0, 1)


@node("Canny", name="Detect Edges (Canny)", category="image/filters")
def canny_edges(image: IMAGE, low_threshold: Threshold = 0.4, high_threshold: Threshold = 0.8) -> IMAGE:
    """Draws the edges of a picture, white on black: those above the high threshold, and fainter ones they go on in."""
    if low_threshold > high_threshold:
        raise ValueError(
            f"low_threshold {low_threshold} is above high_threshold {high_threshold}: it must not be, swap them"
        )
    edges = canny(image[..., :3].movedim(-1, 1), low_threshold, high_threshold)
    return edges.expand(-1, 3, -1, -1).movedim(1, -1).contiguous()


@node("Morphology", name="Apply Morphology", category="image/filters")
def morphology(
    *,
    image: IMAGE,
    operation: Annotated[str, Choice(tuple(OPERATIONS))],
    kernel_size: Annotated[int, Number(3, 999), Help("Side of the box that is looked at, in pixels")] = 3,
) -> IMAGE:
    """Widens or narrows what is bright, and what is made of both."""
    return OPERATIONS[operation](image.movedim(-1, 1), kernel_size).movedim(1, -1)
