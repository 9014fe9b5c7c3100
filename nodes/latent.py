"""Nodes that make and reshape latents."""

from dataclasses import replace
from typing import Annotated, Literal

import torch

from models.resize import ResizeMethod, resize_latent
from models.types import Latent
from nodes.sockets import LATENT
from nodes.spec import Number, node

MAX_SIDE = 16384
SMALLEST_SIDE = 64
Side = Annotated[int, Number(16, MAX_SIDE, step=8)]
SideOrZero = Annotated[int, Number(0, MAX_SIDE, step=8)]


@node("EmptyLatentImage", name="Empty Latent Image", category="model/latent")
def empty_latent_image(
    width: Side = 512, height: Side = 512, batch_size: Annotated[int, Number(1, 4096)] = 1
) -> LATENT:
    """A blank latent, one eighth of the picture's width and height, to be filled with noise and denoised."""
    return Latent(torch.zeros(batch_size, 4, height // 8, width // 8))


@node("LatentUpscale", name="Upscale Latent", category="model/latent")
def latent_upscale(
    *,
    samples: LATENT,
    upscale_method: ResizeMethod,
    width: SideOrZero = 512,
    height: SideOrZero = 512,
    crop: Literal["disabled", "center"],
) -> LATENT:
    """Enlarges or shrinks a latent to a picture size in pixels; a side of 0 follows from the other."""
    if width == 0 and height == 0:
        return samples
    source_height, source_width = samples.samples.shape[-2:]
    if width == 0:
        height = max(SMALLEST_SIDE, height)
        width = round(source_width * height / source_height)
    elif height == 0:
        width = max(SMALLEST_SIDE, width)
        height = round(source_height * width / source_width)
    width, height = max(SMALLEST_SIDE, width), max(SMALLEST_SIDE, height)
    resized = resize_latent(samples.samples, width // 8, height // 8, upscale_method, crop == "center")
    return replace(samples, samples=resized)
