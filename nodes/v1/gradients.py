"""Coroutines of foreign nodes, which like all foreign nodes compute without gradients."""

from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any

import torch


@coroutine
def without_gradients(work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Runs a coroutine with gradients off while it computes, and as others have them while it waits.

    The mode belongs to the thread: several coroutines that each set it around all their work would restore it in
    the order in which they end, and leave it off for good.
    """
    go_on: Callable[[Any], Any] = work.send
    value: Any = None
    while True:
        try:
            with torch.no_grad():
                waited_for = go_on(value)
        except StopIteration as end:
            return end.value
        try:
            go_on, value = work.send, (yield waited_for)
        except BaseException as error:  # noqa: BLE001 - a cancellation, which is the coroutine's to answer
            go_on, value = work.throw, error
