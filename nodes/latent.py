"""Nodes that make and reshape latents."""

from dataclasses import replace
from typing import Annotated, Literal

import torch

from models.resize import ResizeMethod, resize_latent
from models.types import Latent
from nodes.sizes import MAX_SIDE, BatchSize, LatentSide, LatentSideOrZero
from nodes.sockets import LATENT
from nodes.spec import Number, node

SMALLEST_SIDE = 64
LargeSide = Annotated[int, Number(16, MAX_SIDE, step=16)]


@node("EmptyLatentImage", name="Empty Latent Image", category="model/latent")
def empty_latent_image(width: LatentSide = 512, height: LatentSide = 512, batch_size: BatchSize = 1) -> LATENT:
    """A blank latent, one eighth of the picture's width and height, to be filled with noise and denoised."""
    return Latent(torch.zeros(batch_size, 4, height // 8, width // 8))


@node("EmptySD3LatentImage", category="model/latent/stable diffusion")
def empty_sd3_latent_image(width: LargeSide = 1024, height: LargeSide = 1024, batch_size: BatchSize = 1) -> LATENT:
    """A blank latent of 16 channels. Samplers give blank latents as many channels as their model has."""
    return Latent(torch.zeros(batch_size, 16, height // 8, width // 8))


@node("LatentUpscale", name="Upscale Latent", category="model/latent")
def latent_upscale(
    *,
    samples: LATENT,
    upscale_method: ResizeMethod,
    width: LatentSideOrZero = 512,
    height: LatentSideOrZero = 512,
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


@node("LatentUpscaleBy", name="Upscale Latent By", category="model/latent")
def latent_upscale_by(
    samples: LATENT, upscale_method: ResizeMethod, scale_by: Annotated[float, Number(0.01, 8.0, step=0.01)] = 1.5
) -> LATENT:
    """Enlarges or shrinks a latent by a factor."""
    height, width = (max(1, round(side * scale_by)) for side in samples.samples.shape[-2:])
    return replace(samples, samples=resize_latent(samples.samples, width, height, upscale_method, center=False))
