"""Edges of pictures. J. Canny, "A computational approach to edge detection", IEEE PAMI 8 (1986)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

LUMINANCE = (0.299, 0.587, 0.114)
BLUR_RADIUS, BLUR_SIGMA = 2, 1.0
EPSILON = 1e-6
"""Added under the root of the gradient's length."""

NEIGHBORS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
"""Steps (down, right) to the eight neighbors, turning by 45 degrees from the right over the bottom."""


def canny(images: Tensor, low: float, high: float) -> Tensor:
    """Returns (b, 1, h, w), 1 on edges and 0 elsewhere, of pictures (b, 3, h, w) in 0..1.

    Edges are the ridges of the gradient's length above `high`, and those above `low` that touch such.
    """
    gray = torch.einsum("bchw,c->bhw", images, torch.tensor(LUMINANCE).to(images)).unsqueeze(1)
    length, angle = _gradient(_smoothed(gray))
    ridges = length * _is_largest_across(length, angle)
    strong, weak = ridges > high, ridges > low
    return _grown_within(strong, strong | weak).to(images.dtype)


def _smoothed(gray: Tensor) -> Tensor:
    places = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1, dtype=torch.float32)
    weights = torch.exp(-(places**2) / (2 * BLUR_SIGMA**2))
    weights = (weights / weights.sum()).to(gray)
    padded = F.pad(gray, (BLUR_RADIUS,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))


def _gradient(gray: Tensor) -> tuple[Tensor, Tensor]:
    """Length and direction (multiples of 45 degrees, 0..7) of the gradient, by Sobel's operator."""
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]).to(gray)
    kernels = torch.stack([sobel, sobel.T]).unsqueeze(1)
    right, down = F.conv2d(F.pad(gray, (1, 1, 1, 1), mode="replicate"), kernels).chunk(2, dim=1)
    eighths = torch.round(torch.atan2(down, right) / math.pi * 4)
    return (right**2 + down**2 + EPSILON).sqrt(), eighths % 8


def _is_largest_across(length: Tensor, direction: Tensor) -> Tensor:
    """Whether a pixel is larger than both its neighbors along the gradient; nothing lies outside the picture."""
    padded = F.pad(length, (1, 1, 1, 1))
    height, width = length.shape[-2:]
    larger = torch.stack([length > padded[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in NEIGHBORS])
    ahead = direction.long().unsqueeze(0)
    return (larger.gather(0, ahead) & larger.gather(0, (ahead + 4) % 8)).squeeze(0)


def _grown_within(seeds: Tensor, allowed: Tensor) -> Tensor:
    """All that is allowed and hangs together, over the eight neighbors, with a seed."""
    reached = seeds.float()
    while True:
        grown = F.max_pool2d(reached, 3, stride=1, padding=1) * allowed
        if torch.equal(grown, reached):
            return reached
        reached = grown
