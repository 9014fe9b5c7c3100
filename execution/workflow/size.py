"""How large a graph may become that a document stands for: subgraphs within subgraphs multiply what they hold."""

from collections.abc import Mapping
from typing import Any

from execution.workflow.document import WorkflowError

MOST_NODES = 100_000
LARGEST = 64 << 20
"""Characters; a value counts as so many more."""

VALUE = 32


class Measure:
    """Adds up what a graph holds, and stops what grows beyond measure. Raises WorkflowError."""

    def __init__(self) -> None:
        self._size = 0
        self._sizes: dict[int, int] = {}

    def check_nodes(self, count: int) -> None:
        if count > MOST_NODES:
            raise WorkflowError(f"With its subgraphs the workflow has more than {MOST_NODES} nodes.")

    def add_slots(self, count: int) -> None:
        self._add(count * VALUE)

    def add_values(self, values: Any) -> None:
        """Add a list or an object of the document, which outlives this; one in many places is gone through once."""
        if id(values) not in self._sizes:
            self._sizes[id(values)] = size_of(values)
        self._add(self._sizes[id(values)])

    def add_overrides(self, overrides: Mapping[str, Mapping[str, Any]]) -> None:
        """Add values that were put together for one node; those in them belong to the document."""
        for values in overrides.values():
            for value in values.values():
                if isinstance(value, list | Mapping):
                    self.add_values(value)
                else:
                    self._add(size_of(value))

    def _add(self, size: int) -> None:
        self._size += size
        if self._size > LARGEST:
            raise WorkflowError(
                f"With its subgraphs the workflow holds more than {LARGEST >> 20} Mi characters and values."
            )


def size_of(value: Any) -> int:
    """The characters and values in a value, however deep."""
    size = 0
    waiting = [value]
    while waiting:
        one = waiting.pop()
        size += VALUE + (len(one) if isinstance(one, str) else 0)
        if isinstance(one, Mapping):
            waiting.extend(one.keys())
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return size
