"""Compositing of pictures with alpha. Porter and Duff, "Compositing digital images", SIGGRAPH 1984.

ADD, DARKEN, LIGHTEN, MULTIPLY, OVERLAY and SCREEN are the formulas that Android documents beside them
(android.graphics.PorterDuff.Mode); of these, LIGHTEN and OVERLAY change the destination even under nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

TRANSPARENT = 1e-5
"""Alpha below which a color is not told from black."""


@dataclass(frozen=True)
class Layers:
    """Colors multiplied by their alphas (b, c, h, w) and the alphas (b, 1, h, w) of a source and a destination."""

    source: Tensor
    source_alpha: Tensor
    destination: Tensor
    destination_alpha: Tensor

    @property
    def union(self) -> Tensor:
        """The alpha where either is: αs + αd − αs·αd."""
        return self.source_alpha + self.destination_alpha - self.source_alpha * self.destination_alpha

    @property
    def source_outside(self) -> Tensor:
        return (1 - self.destination_alpha) * self.source

    @property
    def destination_outside(self) -> Tensor:
        return (1 - self.source_alpha) * self.destination


Operator = Callable[[Layers], tuple[Tensor, Tensor]]


def _overlay(a: Layers) -> tuple[Tensor, Tensor]:
    dark = 2 * a.source * a.destination
    light = a.source_alpha * a.destination_alpha - 2 * (a.destination_alpha - a.destination) * (
        a.source_alpha - a.source
    )
    return torch.where(2 * a.destination < a.destination_alpha, dark, light), a.union


OPERATORS: Mapping[str, Operator] = {
    "ADD": lambda a: ((a.source + a.destination).clamp(0, 1), (a.source_alpha + a.destination_alpha).clamp(0, 1)),
    "CLEAR": lambda a: (torch.zeros_like(a.destination), torch.zeros_like(a.destination_alpha)),
    "DARKEN": lambda a: (
        a.source_outside + a.destination_outside + torch.minimum(a.source, a.destination),
        a.union,
    ),
    "DST": lambda a: (a.destination, a.destination_alpha),
    "DST_ATOP": lambda a: (a.source_alpha * a.destination + a.source_outside, a.source_alpha),
    "DST_IN": lambda a: (a.destination * a.source_alpha, a.source_alpha * a.destination_alpha),
    "DST_OUT": lambda a: (a.destination_outside, (1 - a.source_alpha) * a.destination_alpha),
    "DST_OVER": lambda a: (a.destination + a.source_outside, a.union),
    "LIGHTEN": lambda a: (
        a.source_outside + a.destination_outside + torch.maximum(a.source, a.destination),
        a.union,
    ),
    "MULTIPLY": lambda a: (a.source * a.destination, a.source_alpha * a.destination_alpha),
    "OVERLAY": _overlay,
    "SCREEN": lambda a: (a.source + a.destination - a.source * a.destination, a.union),
    "SRC": lambda a: (a.source, a.source_alpha),
    "SRC_ATOP": lambda a: (a.destination_alpha * a.source + a.destination_outside, a.destination_alpha),
    "SRC_IN": lambda a: (a.source * a.destination_alpha, a.source_alpha * a.destination_alpha),
    "SRC_OUT": lambda a: (a.source_outside, (1 - a.destination_alpha) * a.source_alpha),
    "SRC_OVER": lambda a: (a.source + a.destination_outside, a.union),
    "XOR": lambda a: (
        a.source_outside + a.destination_outside,
        (1 - a.destination_alpha) * a.source_alpha + (1 - a.source_alpha) * a.destination_alpha,
    ),
}


def composite(
    source: Tensor, source_alpha: Tensor, destination: Tensor, destination_alpha: Tensor, operator: str
) -> tuple[Tensor, Tensor]:
    """Returns color and alpha of the one over the other, colors not multiplied by alpha, as those given."""
    layers = Layers(source * source_alpha, source_alpha, destination * destination_alpha, destination_alpha)
    color, alpha = OPERATORS[operator](layers)
    return torch.where(alpha > TRANSPARENT, color / alpha, torch.zeros_like(color)).clamp(0, 1), alpha
