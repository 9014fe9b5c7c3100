"""Makes training batches, ahead of their use in other processes where a fast device would wait for them."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Generic, TypeVar

from torch.utils.data import DataLoader, Dataset

Batch = TypeVar("Batch")


class _Made(Dataset[Batch], Generic[Batch]):
    def __init__(self, make: Callable[[int], Batch]) -> None:
        self.make = make

    def __getitem__(self, index: int) -> Batch:
        return self.make(index)


class _CountedFrom:
    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        return count(self.first)


def supply(make: Callable[[int], Batch], first: int, workers: int) -> Iterator[Batch]:
    """Yield make(first), make(first + 1), …; with workers, which need a picklable `make`, some batches ahead."""
    if workers == 0:
        return (make(index) for index in count(first))
    context = "spawn"  # a forked copy of a process that uses a GPU is not safe
    loader = DataLoader(
        _Made(make),
        batch_size=None,
        sampler=_CountedFrom(first),
        num_workers=workers,
        multiprocessing_context=context,
        prefetch_factor=2,
    )
    return iter(loader)
