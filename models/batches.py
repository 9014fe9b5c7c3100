"""Batches (b, …) of unequal length brought together."""

from torch import Tensor


def repeated_to(x: Tensor, size: int) -> Tensor:
    """The first `size` items, beginning anew where there are fewer."""
    if len(x) < size:
        x = x.repeat(-(-size // len(x)), *([1] * (x.ndim - 1)))
    return x[:size]


def batch_slice(count: int, index: int, length: int) -> slice:
    """Where `length` items from `index` on lie in a batch of `count`: negative counts from the end, too far is cut."""
    start = index + count if index < 0 else index
    start = min(max(start, 0), count - 1)
    return slice(start, min(start + length, count))
