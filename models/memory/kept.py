"""A budget of bytes for values that are dear to make."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values kept within a budget of bytes; the one used longest ago goes first. The newest always stays."""

    def __init__(self, budget: int, measure: Callable[[Value], int]) -> None:
        self.budget = budget
        self._measure = measure
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, expected: int, make: Callable[[], Value]) -> Value:
        """Returns the value of this key. If it must be made, first makes room for the bytes it is expected to take."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        self._shrink(self.budget - expected)
        value = make()
        self._shrink(self.budget - self._measure(value))
        self._values[key] = value
        return value

    def clear(self) -> None:
        """Forgets every value."""
        self._values.clear()

    def _shrink(self, target: int) -> None:
        while self._values and sum(self._measure(value) for value in self._values.values()) > target:
            self._values.popitem(last=False)
