"""What was lately made of long texts, so that the same text is not gone through again."""

import threading
from collections import OrderedDict
from typing import Generic, NamedTuple, TypeVar

from execution.graph import NodeId

V = TypeVar("V")

MOST = 256
"""Texts, however short they are."""


class Asked(NamedTuple):
    """A graph as text, and the output nodes of it that are meant (None: all)."""

    text: str
    targets: tuple[NodeId, ...] | None


class Recent(Generic[V]):
    """Keeps what was made of at most so many characters of text, and of MOST texts; what was not used for longest goes
    first. For use by several threads."""

    def __init__(self, most_characters: int = 2 << 20) -> None:
        self._most = most_characters
        self._characters = 0
        self._found: OrderedDict[Asked, V] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._found)

    def get(self, asked: Asked) -> V | None:
        with self._lock:
            found = self._found.get(asked)
            if found is not None:
                self._found.move_to_end(asked)
            return found

    def put(self, asked: Asked, made: V) -> None:
        with self._lock:
            if self._found.pop(asked, None) is None:
                self._characters += len(asked.text)
            self._found[asked] = made
            while self._characters > self._most or len(self._found) > MOST:
                oldest, _ = self._found.popitem(last=False)
                self._characters -= len(oldest.text)
