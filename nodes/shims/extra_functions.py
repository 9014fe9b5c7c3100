"""Functions beside the nodes of `comfy_extras` that packs call."""

import torch
from torch import Tensor

from models.compositing import paste


def composite(
    destination: Tensor,
    source: Tensor,
    x: int,
    y: int,
    mask: Tensor | None = None,
    multiplier: int = 8,
    resize_source: bool = False,
) -> Tensor:
    """Lays source over destination (b, c, h, w) with its corner at x, y, where the source's mask says so or everywhere.

    For latents x and y count pixels of the picture, `multiplier` of which are one of the latent.
    """
    left, top = max(0, x // multiplier), max(0, y // multiplier)
    covering = torch.ones(1, *source.shape[-2:]) if mask is None else mask
    return paste(destination, source, left, top, covering, resize_source)
