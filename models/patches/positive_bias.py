"""Guidance that leans to the positive prompt where both prompts point the same way; without a paper."""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.sampling.patches import Estimated, Round


def positive_bias(guided: Tensor, estimated: Estimated, of: Round) -> Tensor:
    """Mixes the guided estimate with cfg times the positive's, by how alike the negative and the mean of both are.

    Opposite directions give the positive's alone, equal ones the guided.
    """
    if estimated.away is None:
        return guided
    leap = estimated.toward * of.cfg
    alike = F.cosine_similarity(_roots(estimated.away * of.cfg), _roots((leap + guided) / 2)).mean()
    return torch.lerp(leap, guided, (alike + 1) / 2)


def _roots(x: Tensor) -> Tensor:
    """Square roots that keep their sign."""
    return x.abs().sqrt() * x.sign()
