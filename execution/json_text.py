"""JSON that is kept as text, and values of nodes made fit for JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class JsonText:
    """A value as JSON text. It travels between disk, sockets and processes without being read; `read` makes it new."""

    text: str

    @classmethod
    def of(cls, value: Any) -> "JsonText":
        """Write a value that came out of a JSON parser."""
        return cls(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))

    @classmethod
    def tamed(cls, value: Any) -> "JsonText":
        """Write whatever a node has given, in pure ASCII: what JSON does not have becomes null, a number or a text."""
        try:
            return cls(json.dumps(value, allow_nan=False, separators=(",", ":")))
        except (TypeError, ValueError, RecursionError):
            return cls(json.dumps(_tame(value, DEEPEST), allow_nan=False, separators=(",", ":")))

    def read(self) -> Any:
        return json.loads(self.text)


DEEPEST = 64
"""Levels of a node's value that are told; what lies deeper is told as text."""


def _tame(value: Any, levels: int) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Mapping() if levels:
            return {str(name): _tame(child, levels - 1) for name, child in value.items()}
        case list() | tuple() | set() | frozenset() if levels:
            return [_tame(child, levels - 1) for child in value]
        case _:
            return _tame(value.item(), 0) if _is_scalar(value) else str(value)


def _is_scalar(value: Any) -> bool:
    """Whether this is one number of an array library."""
    return getattr(value, "shape", None) == () and callable(getattr(value, "item", None))
