"""Tangential damping: guidance away from the part of the negative along what it shares with the positive;
arXiv:2503.18137."""

from dataclasses import replace

import torch
from torch import Tensor

from models.sampling.patches import Estimated, Round


def tangential_damping(estimated: Estimated, of: Round) -> Estimated:
    """Projects the negative's noise on the main direction of both, for each picture."""
    if estimated.away is None:
        return estimated
    damped = along_main_direction(of.x - estimated.away, of.x - estimated.toward)
    return replace(estimated, away=of.x - damped)


def along_main_direction(vector: Tensor, other: Tensor) -> Tensor:
    """The part of the vector (b …) along the first right singular vector of the two."""
    flat = vector.flatten(1).float()
    _, _, directions = torch.linalg.svd(torch.stack([flat, other.flatten(1).float()], dim=1), full_matrices=False)
    main = directions[:, 0]
    return ((flat * main).sum(dim=1, keepdim=True) * main).reshape(vector.shape).to(vector.dtype)
