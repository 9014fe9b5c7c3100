"""Blend modes of two pictures with values in 0..1."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor


def _overlay(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(a <= 0.5, 2 * a * b, 1 - 2 * (1 - a) * (1 - b))


def _soft_light(a: Tensor, b: Tensor) -> Tensor:
    """The formula of W3C's "Compositing and Blending"."""
    lightened = torch.where(a <= 0.25, ((16 * a - 12) * a + 4) * a, a.clamp(min=0).sqrt())
    return torch.where(b <= 0.5, a - (1 - 2 * b) * a * (1 - a), a + (2 * b - 1) * (lightened - a))


BLEND_MODES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "normal": lambda a, b: b,
    "multiply": lambda a, b: a * b,
    "screen": lambda a, b: 1 - (1 - a) * (1 - b),
    "overlay": _overlay,
    "soft_light": _soft_light,
    "difference": lambda a, b: a - b,
}
"""What each mode makes of a base and a layer over it; `difference` is signed, so that a brighter layer gives black."""


def blended(base: Tensor, layer: Tensor, mode: str, share: float) -> Tensor:
    """Mixes the base with what the mode makes of both, by shares, within 0..1."""
    return (base * (1 - share) + BLEND_MODES[mode](base, layer) * share).clamp(0, 1)
