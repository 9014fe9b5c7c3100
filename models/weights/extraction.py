"""Extracts adapters from the difference of two networks: the best matrices of a low rank, or the difference in full."""

import math
from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch
from torch import Tensor

from models.types import Residence, Weights

Kind = Literal["standard", "full_diff"]

OVERSAMPLING = 16
ITERATIONS = 4
"""How closely a decomposition of low rank is approached."""


def extracted(
    difference: Residence[Any],
    weights: Weights,
    rank: int,
    kind: Kind,
    bias: bool,
    report: Callable[[float], None] = lambda fraction: None,
) -> Iterator[tuple[str, Tensor]]:
    """Yields the tensors of an adapter, by the names of the network's modules with the endings that adapters have.

    `difference` is a network whose weights are differences already. `bias` includes biases and norms. `report` is told
    the fraction done and may raise to stop.
    """
    names = list(difference.shapes)
    for number, name in enumerate(names):
        module, _, parameter = name.rpartition(".")
        is_matrix = len(difference.shapes[name]) >= 2
        if parameter == "weight" and is_matrix and kind == "standard":
            up, down = low_rank(difference.parameter(name, weights), rank)
            yield f"{module}.lora_up.weight", up
            yield f"{module}.lora_down.weight", down
        elif parameter == "weight" and (is_matrix or bias):
            yield f"{module}.diff", difference.parameter(name, weights)
        elif parameter == "bias" and bias:
            yield f"{module}.diff_b", difference.parameter(name, weights)
        report((number + 1) / len(names))


def low_rank(weight: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The product up · down of a rank that comes nearest to a weight (Eckart and Young, 1936).

    (out, in, …) → (out, r, 1, …) and (r, in, …), the singular values shared evenly between both.
    """
    matrix = weight.flatten(1)
    rank = min(rank, *matrix.shape)
    left, values, right = _decomposed(matrix, rank)
    shared = values[:rank].sqrt()
    up = (left[:, :rank] * shared).reshape(len(weight), rank, *[1] * (weight.ndim - 2))
    down = (shared[:, None] * right[:rank]).reshape(rank, *weight.shape[1:])
    return up.contiguous(), down.contiguous()


def _decomposed(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Left vectors (m, k), values (k,), right vectors (k, n), k ≥ rank: exact, or approached where rank is low."""
    wanted = rank + OVERSAMPLING
    if wanted >= math.isqrt(min(matrix.shape)) * 4:
        return torch.linalg.svd(matrix, full_matrices=False)
    with torch.random.fork_rng(devices=[matrix.device] if matrix.is_cuda else []):
        torch.manual_seed(0)
        left, values, right = torch.svd_lowrank(matrix, q=wanted, niter=ITERATIONS)
    return left, values, right.T
