"""How many bytes a node's results keep in memory, judged without knowing what they are made of."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

SMALL = 64
"""Bytes counted for what has no measurable content: numbers, handles of models (which are counted elsewhere)."""


ATOMS = frozenset({int, float, bool, type(None)})


def size_of(value: Any) -> int:
    """Bytes of all arrays, texts and containers in a value, each object once."""
    total = 0
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) in ATOMS:
            total += SMALL
            continue
        if id(item) in seen:
            continue
        seen.add(id(item))
        nbytes = getattr(item, "nbytes", None)
        if isinstance(nbytes, int):
            total += nbytes
            continue
        total += SMALL
        if isinstance(item, str | bytes | bytearray):
            total += len(item)
        elif isinstance(item, Mapping):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list | tuple | set | frozenset):
            waiting.extend(item)
        elif is_dataclass(item) and not isinstance(item, type):
            waiting.extend(getattr(item, field.name) for field in fields(item))
    return total
