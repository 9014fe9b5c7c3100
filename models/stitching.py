"""Pictures (b, h, w, c) side by side."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Direction = Literal["right", "down", "left", "up"]
Color = tuple[float, float, float]


def stitched(first: Tensor, second: Tensor, direction: Direction, spacing: int, color: Color) -> Tensor:
    """Puts the second picture on that side of the first, with so many pixels (made even) of a color between them.

    The batch that is shorter repeats its last picture; the lower or narrower picture is centered, and filled up with
    the color where that is black or white, else with black.
    """
    count = max(len(first), len(second))
    first, second = with_same_channels(_continued(first, count), _continued(second, count))
    across, along = (1, 2) if direction in ("left", "right") else (2, 1)
    size = max(first.shape[across], second.shape[across])
    gray = color[0] if len(set(color)) == 1 else 0.0
    parts = [_centered(part, across, size, gray) for part in (first, second)]
    if direction in ("left", "up"):
        parts.reverse()
    if spacing:
        parts.insert(1, _strip(parts[0], along, spacing + spacing % 2, color))
    return torch.cat(parts, dim=along)


def with_same_channels(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Both with as many channels as the richer one: the other becomes opaque."""
    channels = max(first.shape[-1], second.shape[-1])
    filled = [F.pad(one, (0, channels - one.shape[-1]), value=1.0) for one in (first, second)]
    return filled[0], filled[1]


def _continued(images: Tensor, count: int) -> Tensor:
    return torch.cat([images, images[-1:].expand(count - len(images), -1, -1, -1)])


def _centered(images: Tensor, axis: int, size: int, value: float) -> Tensor:
    missing = size - images.shape[axis]
    before, after = missing // 2, missing - missing // 2
    padding = (0, 0, 0, 0, before, after) if axis == 1 else (0, 0, before, after)
    return F.pad(images, padding, value=value)


def _strip(images: Tensor, axis: int, width: int, color: Color) -> Tensor:
    """A strip of one color as long as the pictures' side, opaque if they have an alpha channel."""
    shape = list(images.shape[:3])
    shape[axis] = width
    opaque = torch.tensor([*color, 1.0][: images.shape[-1]]).to(images)
    return opaque.expand(*shape, len(opaque))
