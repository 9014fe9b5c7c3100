"""Pictures with a border to be painted on."""

import torch
from torch import Tensor

GRAY = 0.5


def padded_for_outpainting(
    images: Tensor, left: int, top: int, right: int, bottom: int, feathering: int
) -> tuple[Tensor, Tensor]:
    """Returns the pictures (b, h, w, c) with gray borders, and the mask (1, h', w') that is 1 on these.

    Towards a border the mask rises with the square of the nearness, within `feathering` pixels inside the picture;
    not at all if the picture is too small for that from two sides.
    """
    count, height, width, channels = images.shape
    padded = images.new_full((count, top + height + bottom, left + width + right, channels), GRAY)
    padded[:, top : top + height, left : left + width] = images
    mask = torch.ones(1, top + height + bottom, left + width + right)
    inside = torch.zeros(height, width)
    if 0 < feathering * 2 < min(height, width):
        rows = _distances(height, top > 0, bottom > 0, height)
        columns = _distances(width, left > 0, right > 0, width)
        distance = torch.minimum(rows[:, None], columns[None, :])
        inside = ((feathering - distance) / feathering).clamp(min=0) ** 2
    mask[0, top : top + height, left : left + width] = inside
    return padded, mask


def _distances(size: int, before: bool, after: bool, far: int) -> Tensor:
    """How far each place is from the nearer border there is: 0, 1, … from the first, …, 2, 1 from the last."""
    places = torch.arange(size, dtype=torch.float32)
    from_first = places if before else torch.full((size,), float(far))
    from_last = size - places if after else torch.full((size,), float(far))
    return torch.minimum(from_first, from_last)
