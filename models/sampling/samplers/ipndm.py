"""Improved PNDM (arXiv:2204.13902, appendix H.2): Adams-Bashforth of order four, from lower orders at the start.

The step to zero takes the last slope alone.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Tensor

from models.sampling.denoiser import Denoiser
from models.sampling.samplers.common import State, slope

EVEN_WEIGHTS = ((1.0,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))
"""Adams-Bashforth weights of even steps by the number of slopes, latest first."""
MOST_SLOPES = len(EVEN_WEIGHTS)


def ipndm(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """With the weights of even steps, even or not."""
    slopes: deque[Tensor] = deque(maxlen=MOST_SLOPES)
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        slopes.appendleft(slope(x, denoised, sigma))
        weights = EVEN_WEIGHTS[0 if sigma_next == 0 else len(slopes) - 1]
        x = x + _mean(weights, slopes) * (sigma_next - sigma)
        yield State(x, denoised)


def ipndm_v(denoise: Denoiser, x: Tensor, sigmas: Tensor) -> Iterator[State]:
    """With weights that follow the steps, as published with AMED-Solver, arXiv:2312.00094."""
    slopes: deque[Tensor] = deque(maxlen=MOST_SLOPES)
    points: deque[float] = deque([float(sigmas[0])], maxlen=MOST_SLOPES + 1)
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        slopes.appendleft(slope(x, denoised, sigma))
        points.appendleft(float(sigma_next))
        weights = (1.0,) if sigma_next == 0 else uneven_weights(points)
        x = x + _mean(weights, slopes) * (sigma_next - sigma)
        yield State(x, denoised)


def uneven_weights(points: Sequence[float]) -> list[float]:
    """Weights of the slopes, latest first, by the sigma to reach and those visited, latest first.

    Each difference of slopes has a weight. Two of the published expressions are not those that integrate polynomials
    exactly: the weight of the second difference, except for even steps, and the last ratio in the third, except for
    steps that shrink evenly. Pictures agree with others' only with both as they are.
    """
    h, *past = (later - earlier for later, earlier in zip(points, list(points)[1:], strict=False))
    weights = [1.0, 0.0, 0.0, 0.0]
    if len(past) >= 1:
        _add(weights, h / past[0] / 2, (1.0, -1.0))
    if len(past) >= 2:
        ratio, span = past[0] / past[1], past[0] + past[1]
        _add(weights, (1 - h**2 / (3 * past[0] * span)) / 2, (1.0, -1 - ratio, ratio))
        if len(past) >= 3:
            reach, reach_2, span_2 = h + past[0], h + span, span + past[2]
            share = (1 - h / (3 * reach)) / 2 + (1 - h / (2 * reach)) * h / (6 * reach_2)
            third = share * h * reach * reach_2 / (past[0] * span * span_2)
            fall = ratio * span / (past[1] + past[2])
            older = ratio + fall * (1 + past[1] / past[2])
            _add(weights, third, (1.0, -1 - ratio - fall, older, -fall * ratio))
    return weights[: len(past) + 1]


def _add(weights: list[float], share: float, difference: Sequence[float]) -> None:
    for place, factor in enumerate(difference):
        weights[place] += share * factor


def _mean(weights: Sequence[float], slopes: Sequence[Tensor]) -> Tensor | float:
    return sum(weight * past for weight, past in zip(weights, slopes, strict=False))
