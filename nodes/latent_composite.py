"""Nodes that combine latents: laid over each other, mixed, added."""

from dataclasses import replace
from typing import Annotated

import torch

from models.compositing import feathered_edges, paste
from models.latent_math import fitted, interpolated
from models.resize import resize_latent
from nodes.sizes import LatentOffset
from nodes.sockets import LATENT, MASK
from nodes.spec import Help, Number, node

Multiplier = Annotated[float, Number(-10.0, 10.0, step=0.01)]
Share = Annotated[float, Number(0.0, 1.0, step=0.01)]


@node("LatentComposite", name="Latent Composite", category="model/latent")
def latent_composite(
    samples_to: LATENT,
    samples_from: LATENT,
    x: LatentOffset = 0,
    y: LatentOffset = 0,
    feather: Annotated[LatentOffset, Help("Pixels over which the latents fade into each other")] = 0,
) -> LATENT:
    """Lays one latent over another at x, y, given in pixels of the picture."""
    below, above = samples_to.samples, samples_from.samples
    left, top, fade = x // 8, y // 8, feather // 8
    rows, columns = below.shape[-2:]
    height, width = min(above.shape[-2], max(0, rows - top)), min(above.shape[-1], max(0, columns - left))
    right_fade = fade if left + width < columns else 0
    bottom_fade = fade if top + height < rows else 0
    mask = feathered_edges(height, width, fade if left else 0, fade if top else 0, right_fade, bottom_fade)
    if not height or not width:
        return samples_to
    return replace(samples_to, samples=paste(below, above[..., :height, :width], left, top, mask, False))


@node("LatentCompositeMasked", name="Latent Composite Masked", category="model/latent")
def latent_composite_masked(
    destination: LATENT,
    source: LATENT,
    x: LatentOffset = 0,
    y: LatentOffset = 0,
    resize_source: Annotated[bool, Help("Brings the source to the destination's size")] = False,
    mask: MASK | None = None,
) -> LATENT:
    """Lays one latent over another at x, y, where the mask is white or everywhere."""
    covering = torch.ones(1, *source.samples.shape[-2:]) if mask is None else mask
    pasted = paste(destination.samples, source.samples, x // 8, y // 8, covering, resize_source)
    return replace(destination, samples=pasted)


@node("LatentBlend", name="Latent Blend", category="experimental")
def latent_blend(
    samples1: LATENT, samples2: LATENT, blend_factor: Annotated[Share, Help("Share of the first")] = 0.5
) -> LATENT:
    """Mixes two latents by shares."""
    first, second = samples1.samples, samples2.samples
    if second.shape != first.shape:
        second = fitted(resize_latent(second, first.shape[-1], first.shape[-2], "bicubic", center=True), first)
    return replace(samples1, samples=first * blend_factor + second * (1 - blend_factor))


@node("LatentAdd", category="model/latent/advanced")
def latent_add(samples1: LATENT, samples2: LATENT) -> LATENT:
    """Adds a latent to another."""
    return replace(samples1, samples=samples1.samples + fitted(samples2.samples, samples1.samples))


@node("LatentSubtract", category="model/latent/advanced")
def latent_subtract(samples1: LATENT, samples2: LATENT) -> LATENT:
    """Subtracts a latent from another."""
    return replace(samples1, samples=samples1.samples - fitted(samples2.samples, samples1.samples))


@node("LatentMultiply", category="model/latent/advanced")
def latent_multiply(samples: LATENT, multiplier: Multiplier = 1.0) -> LATENT:
    """Multiplies a latent by a number."""
    return replace(samples, samples=samples.samples * multiplier)


@node("LatentInterpolate", category="model/latent/advanced")
def latent_interpolate(
    samples1: LATENT, samples2: LATENT, ratio: Annotated[Share, Help("Share of the first")] = 1.0
) -> LATENT:
    """Mixes two latents on the way around, so that what lies between is as strong as they are."""
    second = fitted(samples2.samples, samples1.samples)
    return replace(samples1, samples=interpolated(samples1.samples, second, ratio))
