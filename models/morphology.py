"""Grayscale morphology: maxima and minima over neighborhoods of (…, h, w). What lies outside does not count."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor


def dilated(x: Tensor, size: int) -> Tensor:
    """The largest value of the size × size box about each pixel; of an even box, the center is right and below."""
    before, after = size // 2, size - size // 2 - 1
    padded = F.pad(x, (before, after, before, after), value=-torch.inf)
    rows = F.max_pool2d(padded, (size, 1), stride=1)
    return F.max_pool2d(rows, (1, size), stride=1)


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
    x = mask.unsqueeze(1)
    if not tapered:
        reach = min(pixels, max(mask.shape[-2:]))
        return dilated(x, 2 * reach + 1).squeeze(1)
    for _ in range(pixels):
        step = torch.maximum(F.max_pool2d(x, (3, 1), 1, (1, 0)), F.max_pool2d(x, (1, 3), 1, (0, 1)))
        if torch.equal(step, x):
            break
        x = step
    return x.squeeze(1)
