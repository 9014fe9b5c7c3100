"""Align Your Steps (arXiv:2404.14507): ten steps found to be best for a family of models."""

import math
from collections.abc import Sequence

import numpy
import torch
from torch import Tensor

OPTIMAL: dict[str, tuple[float, ...]] = {
    "SD1": (
        *(14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177, 1.3943805092),
        *(0.9642583904, 0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582),
    ),
    "SDXL": (
        *(14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141),
        *(0.5550693289, 0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582),
    ),
    "SVD": (700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002),
}
"""The sigmas that NVIDIA published for each family."""


def align_your_steps(family: str, steps: int, denoise: float = 1.0) -> Tensor:
    """The family's sigmas, interpolated in log σ where the steps are not ten, the last set to zero: (n + 1,).

    With denoise below one only so large a share of the steps is walked, at the end; none where it is zero.
    """
    if denoise <= 0:
        return torch.zeros(0)
    walked = round(steps * denoise) if denoise < 1 else steps
    best = OPTIMAL[family]
    sigmas = numpy.array(best) if steps + 1 == len(best) else between_logarithms(best, steps + 1)
    kept = torch.tensor(sigmas[-(walked + 1) :], dtype=torch.float32)
    kept[-1] = 0
    return kept


def between_logarithms(sigmas: Sequence[float], count: int) -> numpy.ndarray:
    """So many sigmas from the first of these to the last, interpolated in log σ at even distances."""
    where = numpy.linspace(0, len(sigmas) - 1, count)
    return numpy.exp(numpy.interp(where, range(len(sigmas)), [math.log(sigma) for sigma in sigmas]))
