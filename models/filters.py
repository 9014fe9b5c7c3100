"""Blurring and sharpening of pictures and latents (b, c, h, w)."""

import torch
import torch.nn.functional as F
from torch import Tensor

SHARPENING = 10
"""What an alpha of 1 multiplies the difference to the blurred picture by."""


def blurred(x: Tensor, radius: int, sigma: float) -> Tensor:
    """A Gaussian blur over (2·radius + 1)² pixels; sigma is a share of the radius. Borders are mirrored.

    Raises ValueError if a side is too short to be mirrored so far.
    """
    if radius >= min(x.shape[-2:]):
        raise ValueError(f"a radius of {radius} needs more than {radius} pixels a side: make it smaller")
    kernel = _gaussian(2 * radius + 1, sigma).to(x)
    channels = x.shape[1]
    padded = F.pad(x, (radius, radius, radius, radius), mode="reflect")
    rows = F.conv2d(padded, kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(rows, kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)


def sharpened(x: Tensor, radius: int, sigma: float, alpha: float) -> Tensor:
    """Adds ten times alpha of what a Gaussian blur takes away."""
    return x + SHARPENING * alpha * (x - blurred(x, radius, sigma))


def _gaussian(size: int, sigma: float) -> Tensor:
    places = torch.linspace(-1, 1, size)
    weights = torch.exp(-(places**2) / (2 * sigma**2))
    return weights / weights.sum()
