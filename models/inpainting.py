"""Pictures with a part that is to be painted anew."""

import torch.nn.functional as F
from torch import Tensor

from models.morphology import dilated

STRIDE = 8
GRAY = 0.5


def cropped_with_mask(images: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (b, h, w, c), and their mask (n, …, h', w') brought to their size, (n, 1, h, w).

    Both are cropped about the center to multiples of 8. Raises ValueError if less than that is left.
    """
    height, width = images.shape[1:3]
    rows, columns = height // STRIDE * STRIDE, width // STRIDE * STRIDE
    if not rows or not columns:
        raise ValueError(f"the picture is {width} × {height} pixels: it needs at least {STRIDE} × {STRIDE}")
    mask = F.interpolate(mask.reshape(-1, 1, *mask.shape[-2:]).float(), size=(height, width), mode="bilinear")
    top, left = height % STRIDE // 2, width % STRIDE // 2
    inside = slice(top, top + rows), slice(left, left + columns)
    return images[:, inside[0], inside[1]], mask[:, :, inside[0], inside[1]]


def grayed(images: Tensor, mask: Tensor) -> Tensor:
    """The pictures (b, h, w, c), gray where the mask (n, 1, h, w) is above one half."""
    kept = 1 - mask.round().movedim(1, -1)
    return (images[..., :3] - GRAY) * kept + GRAY


def widened(mask: Tensor, pixels: int) -> Tensor:
    """The mask (n, 1, h, w), made hard and grown to a box of pixels × pixels about each of its points."""
    return dilated(mask.round(), pixels) if pixels else mask.round()
