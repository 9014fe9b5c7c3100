"""Pictures, latents and masks laid over each other, as tensors (b, c, h, w)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.batches import repeated_to


def paste(destination: Tensor, source: Tensor, left: int, top: int, mask: Tensor, resize_source: bool) -> Tensor:
    """Lays source over destination with its corner at (left, top), where the mask (n, …, h', w') says so.

    The mask covers the source. What does not fit is cut off; `resize_source` first brings the source to the
    destination's size.
    """
    height, width = destination.shape[-2:]
    source = source.to(destination)
    if resize_source:
        source = F.interpolate(source, size=(height, width), mode="bilinear")
    source = repeated_to(source, len(destination))
    left, top = min(left, width), min(top, height)
    share = repeated_to(mask_of_size(mask.to(destination), *source.shape[-2:]), len(source))
    source, share = (part[..., : height - top, : width - left] for part in (source, share))
    result = destination.clone()
    place = result[..., top : top + source.shape[-2], left : left + source.shape[-1]]
    place.copy_(share * source + (1 - share) * place)
    return result


def mask_of_size(mask: Tensor, height: int, width: int) -> Tensor:
    """A mask (n, …, h', w') resized to (n, 1, height, width)."""
    return F.interpolate(mask.reshape(-1, 1, *mask.shape[-2:]), size=(height, width), mode="bilinear")


def feathered_edges(height: int, width: int, left: int, top: int, right: int, bottom: int) -> Tensor:
    """A mask (height, width) of ones that rises along each side within so many pixels: 1/n, 2/n, … 1."""
    rows = _rising(height, top) * _rising(height, bottom).flip(0)
    columns = _rising(width, left) * _rising(width, right).flip(0)
    return rows[:, None] * columns[None, :]


def _rising(size: int, length: int) -> Tensor:
    return (torch.arange(1, size + 1) / max(length, 1)).clamp(max=1.0)
