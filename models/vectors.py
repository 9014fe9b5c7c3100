"""The vector that SDXL's UNets are conditioned on: the pooled text and what the picture's file was like.

arXiv:2307.01952 § 2.2 and § 2.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.adapters.unclip import EmbeddingNoise
from models.conditioning import Cond, Occasion, PictureSize
from models.layers import sinusoidal_embedding

SINUSOID = 256
"""Channels for each number."""

AESTHETIC = 6.0
AESTHETIC_OF_NEGATIVE = 2.5
"""How beautiful a picture is to the refiner where the prompt does not say, on a scale to 10."""


@dataclass(frozen=True)
class SizesVector:
    """SDXL's: pooled text, height and width of the file's picture, top and left of what was cut out, and the size
    asked for."""

    pooled: int
    """Width of the pooled text."""

    def vector(self, cond: Cond, occasion: Occasion) -> Tensor:
        """The vector (1, pooled + 6 · 256), float32."""
        size = _size(cond, occasion)
        target_height = size.height if size.target_height is None else size.target_height
        target_width = size.width if size.target_width is None else size.target_width
        numbers = (size.height, size.width, size.crop_h, size.crop_w, target_height, target_width)
        return _joined(_pooled(cond, self.pooled, occasion), numbers)


@dataclass(frozen=True)
class AestheticVector:
    """The SDXL refiner's: pooled text, height and width, top and left of what was cut out, and an aesthetic score."""

    pooled: int
    """Width of the pooled text."""

    def vector(self, cond: Cond, occasion: Occasion) -> Tensor:
        """The vector (1, pooled + 5 · 256), float32."""
        size = _size(cond, occasion)
        usual = AESTHETIC_OF_NEGATIVE if occasion.negative else AESTHETIC
        score = usual if cond.aesthetic is None else cond.aesthetic
        return _joined(_pooled(cond, self.pooled, occasion), (size.height, size.width, size.crop_h, size.crop_w, score))


def _size(cond: Cond, occasion: Occasion) -> PictureSize:
    return cond.size or PictureSize(width=occasion.width, height=occasion.height)


def _pooled(cond: Cond, width: int, occasion: Occasion) -> Tensor:
    """The pooled text (1, width), in whose place pictures may stand."""
    if cond.images:
        return EmbeddingNoise.of_width(width).vector(cond.images, 0.0, occasion.seed)[:, :width]
    pooled = torch.zeros(1, width) if cond.pooled is None else cond.pooled[:1].float().cpu()
    if pooled.shape[1] != width:
        raise ValueError(
            f"the model is conditioned on a pooled text of width {width}, and the prompt's is {pooled.shape[1]} wide: "
            "encode it with the text encoder of the model's own family"
        )
    return pooled


def _joined(pooled: Tensor, numbers: Sequence[float]) -> Tensor:
    embedded = sinusoidal_embedding(torch.tensor(numbers, dtype=torch.float32), SINUSOID)
    return torch.cat([pooled, embedded.reshape(1, -1)], dim=1)
