"""Nodes that turn, cut and join latents. A noise mask stays as it is: set it afterwards."""

from dataclasses import replace
from typing import Annotated, Literal

import torch

from models.batches import repeated_to
from nodes.image_edit import ROTATIONS, Flip, Rotation
from nodes.sizes import MAX_SIDE, LatentOffset
from nodes.sockets import LATENT
from nodes.spec import Number, node

SMALLEST = 8
"""Sides of the smallest crop, in pixels of the latent."""

Axis = Literal["x", "y", "t"]
CropSide = Annotated[int, Number(64, MAX_SIDE, step=8)]


@node("LatentRotate", name="Rotate Latent", category="model/latent/transform")
def latent_rotate(samples: LATENT, rotation: Rotation) -> LATENT:
    """Turns a latent clockwise by quarters."""
    return replace(samples, samples=torch.rot90(samples.samples, ROTATIONS.index(rotation), dims=(3, 2)))


@node("LatentFlip", name="Flip Latent", category="model/latent/transform")
def latent_flip(samples: LATENT, flip_method: Flip) -> LATENT:
    """Mirrors a latent."""
    return replace(samples, samples=samples.samples.flip(2 if flip_method.startswith("x") else 3))


@node("LatentCrop", name="Crop Latent", category="model/latent/transform")
def latent_crop(
    samples: LATENT, width: CropSide = 512, height: CropSide = 512, x: LatentOffset = 0, y: LatentOffset = 0
) -> LATENT:
    """Cuts a rectangle, given in pixels of the picture, out of a latent; what would lie outside is left away."""
    rows, columns = samples.samples.shape[-2:]
    left, top = max(0, min(x // 8, columns - SMALLEST)), max(0, min(y // 8, rows - SMALLEST))
    cropped = samples.samples[:, :, top : top + height // 8, left : left + width // 8]
    return replace(samples, samples=cropped)


@node("LatentConcat", category="model/latent/advanced")
def latent_concat(samples1: LATENT, samples2: LATENT, dim: Literal["x", "-x", "y", "-y", "t", "-t"]) -> LATENT:
    """Joins latents side by side (x) or one below the other (y); with a minus the second comes first."""
    axis = _axis(dim.removeprefix("-"), samples1.samples)
    parts = [samples1.samples, repeated_to(samples2.samples, len(samples1.samples))]
    if dim.startswith("-"):
        parts.reverse()
    return replace(samples1, samples=torch.cat(parts, dim=axis))


@node("LatentCut", category="model/latent/advanced")
def latent_cut(
    samples: LATENT,
    dim: Axis,
    index: Annotated[int, Number(-MAX_SIDE, MAX_SIDE)] = 0,
    amount: Annotated[int, Number(1, MAX_SIDE)] = 1,
) -> LATENT:
    """Takes columns (x) or rows (y) out of a latent; a negative index counts from the end."""
    axis = _axis(dim, samples.samples)
    size = samples.samples.shape[axis]
    index = max(min(index, size - 1), -size)
    start = index + size if index < 0 else index
    return replace(samples, samples=samples.samples.narrow(axis, start, min(amount, size - start)))


@node("LatentCutToBatch", category="model/latent/advanced")
def latent_cut_to_batch(
    samples: LATENT, dim: Literal["t", "x", "y"], slice_size: Annotated[int, Number(1, MAX_SIDE)] = 1
) -> LATENT:
    """Cuts a latent into slices of one size along an axis, and makes a batch of them; a rest is left away."""
    axis = _axis(dim, samples.samples)
    along = samples.samples.movedim(axis, 1)
    size = min(slice_size, along.shape[1])
    whole = along[:, : along.shape[1] // size * size]
    slices = whole.reshape(-1, size, *whole.shape[2:]).movedim(1, axis)
    return replace(samples, samples=slices)


def _axis(name: str, latent: torch.Tensor) -> int:
    """The axis of a tensor that a name means. Raises ValueError for time, which pictures do not have."""
    if name == "t" and latent.ndim < 5:
        raise ValueError("dim is t, the axis of time, and latents of pictures have none: choose x or y")
    return latent.ndim - {"x": 1, "y": 2, "t": 3}[name]
