"""Grayscale morphology: maxima and minima over neighborhoods of (…, h, w). What lies outside does not count."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor


def dilated(x: Tensor, size: int) -> Tensor:
    """The largest value of the size × size box about each pixel; of an even box, the center is right and below."""
    before, after = size // 2, size - size // 2 - 1
    padded = F.pad(x, (before, after, before, after), value=-torch.inf)
    return _largest_of_next(_largest_of_next(padded, size, dim=-2), size, dim=-1)


def _largest_of_next(x: Tensor, size: int, dim: int) -> Tensor:
    """The largest of `size` values in a row from each place on, found by windows that double."""
    window = 1
    while window < size:
        step = min(window, size - window)
        count = x.shape[dim] - step
        x = torch.maximum(x.narrow(dim, 0, count), x.narrow(dim, step, count))
        window += step
    return x


def eroded(x: Tensor, size: int) -> Tensor:
    """The smallest value of the size × size box about each pixel."""
    return -dilated(-x, size)


OPERATIONS: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "erode": eroded,
    "dilate": dilated,
    "open": lambda x, size: dilated(eroded(x, size), size),
    "close": lambda x, size: eroded(dilated(x, size), size),
    "gradient": lambda x, size: dilated(x, size) - eroded(x, size),
    "bottom_hat": lambda x, size: eroded(dilated(x, size), size) - x,
    "top_hat": lambda x, size: x - dilated(eroded(x, size), size),
}


def grown(mask: Tensor, pixels: int, tapered: bool) -> Tensor:
    """A mask (n, h, w) whose bright parts reach so many pixels farther, or fewer if negative.

    Tapered corners grow along the axes only, step by step, so that a point becomes a diamond and not a square.
    """
    if pixels < 0:
        return -grown(-mask, -pixels, tapered)
    if not tapered:
        reach = min(pixels, max(mask.shape[-2:]))
        return dilated(mask, 2 * reach + 1)
    for _ in range(pixels):
        wider = _largest_beside(mask)
        if torch.equal(wider, mask):
            break
        mask = wider
    return mask


def _largest_beside(x: Tensor) -> Tensor:
    """The largest of each pixel (n, h, w) and its four neighbors."""
    wider = x.clone()
    for dim in (-2, -1):
        most = x.shape[dim] - 1
        for here, beside in ((0, 1), (1, 0)):
            place = wider.narrow(dim, here, most)
            torch.maximum(place, x.narrow(dim, beside, most), out=place)
    return wider
