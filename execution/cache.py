"""Results of nodes, found again by what they were made from, whatever job or node id they belong to."""

import heapq
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from typing import Any, NamedTuple

from execution.graph import Graph, Link, Node, NodeId
from execution.kinds import Kind
from execution.sizes import size_of
from nodes.spec import NodeSpec

Key = bytes

Fingerprint = Callable[[Node, NodeSpec], Any]
"""What a node says of the world outside the graph. If it raises, or says NaN, the node's results are not looked up."""

Told = Mapping[NodeId, str | None]
"""What fingerprints have said, by node; None where results are not to be looked up."""

_dumps = json.JSONEncoder(sort_keys=True).encode


def told_by(
    graph: Graph, node_ids: Iterable[NodeId], kinds: Mapping[str, Kind], fingerprint: Fingerprint
) -> dict[NodeId, str | None]:
    """Ask the fingerprints of these nodes, as far as they have one and are looked up at all."""
    found: dict[NodeId, str | None] = {}
    for node_id in node_ids:
        node = graph[node_id]
        spec = kinds[node.type].spec
        if spec.fingerprint is not None and spec.cached:
            found[node_id] = _told(node, spec, fingerprint)
    return found


def _told(node: Node, spec: NodeSpec, fingerprint: Fingerprint) -> str | None:
    try:
        told = fingerprint(node, spec)
        return str(told) if told == told else None
    except Exception:  # noqa: BLE001 - a file that is gone: the node itself meets it again
        return None


def add_keys(
    found: dict[NodeId, Key | None], graph: Graph, order: Iterable[NodeId], kinds: Mapping[str, Kind], told: Told
) -> None:
    """Add the content keys of nodes given sources first, each made once. None: must run, and so must what reads it."""
    for node_id in order:
        node = graph[node_id]
        found[node_id] = _key(node, kinds[node.type], found, told)


def _key(node: Node, kind: Kind, found: Mapping[NodeId, Key | None], told: Told) -> Key | None:
    spec = kind.spec
    if not spec.cached:
        return None
    parts: list[Any] = [[node.type, node.id]] if kind.keyed_by_id else [node.type]
    for name, value in kind.given(node):
        if isinstance(value, Link):
            source = found[value.source]
            if source is None:
                return None
            parts.append([name, source.hex(), value.output, *([value.source] if name in kind.raw else [])])
        else:
            parts.append([name, value])
    if spec.fingerprint is not None:
        if told[node.id] is None:
            return None
        parts.append(told[node.id])
    try:
        text = _dumps(parts)
    except (TypeError, ValueError, RecursionError):  # an object that is no JSON, in a graph that a node has made
        return None
    return blake2b(text.encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How much is remembered: at most `max_bytes`, and at most `max_entries` nodes if that is given; 0 is nothing."""

    max_bytes: int = 2 << 30
    max_entries: int | None = None


class ShownInside(NamedTuple):
    """What a node shows that another has expanded into, and where it is: ids without that of the other before them.

    `beside` is the id and type of another queued node that it is shown as, if it is.
    """

    node_id: str
    parent: str
    beside: tuple[str, str] | None
    ui: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What a node gave: its outputs in order, and what it shows in the editor, itself and in what it expanded into."""

    outputs: tuple[Any, ...]
    ui: Mapping[str, Any] | None = None
    inside: tuple[ShownInside, ...] = ()


@dataclass(slots=True)
class _Entry:
    result: Result
    bytes: int
    seconds: float
    rank: tuple[float, int] = (0.0, 0)


class Cache:
    """Keeps what is dear to compute and small to hold: GreedyDual-Size (Cao and Irani, 1997).

    Each entry's worth is its seconds per byte, added to a level that rises to the worth of what is evicted; an entry
    that is used again comes back to its full worth above the level. With a limit on entries, plain least recently used.
    """

    def __init__(self, settings: CacheSettings | None = None) -> None:
        self._settings = settings or CacheSettings()
        self._entries: dict[Key, _Entry] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._level = 0.0
        self._ticks = count()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key | None) -> Result | None:
        entry = self._entries.get(key) if key is not None else None
        if entry is None:
            return None
        entry.rank = self._rank_of(entry)
        return entry.result

    def put(self, key: Key | None, result: Result, seconds: float) -> None:
        """Remember a result that took so long to make, at the cost of lesser ones. One that is known already stays."""
        if key is None or self._settings.max_entries == 0 or self.get(key) is not None:
            return
        size = size_of((result.outputs, result.ui, *([result.inside] if result.inside else [])))
        if size > self._settings.max_bytes:
            return
        entry = self._entries[key] = _Entry(result, size, seconds)
        entry.rank = self._rank_of(entry)
        heapq.heappush(self._heap, (*entry.rank, key))
        self.bytes += size
        while self._is_over():
            self._evict()

    def clear(self) -> None:
        self._entries.clear()
        self._heap.clear()
        self.bytes = 0

    def _rank_of(self, entry: _Entry) -> tuple[float, int]:
        """Where the entry stands from now on: ever higher, so the heap need hear of it only when its turn comes."""
        worth = 0.0 if self._settings.max_entries is not None else entry.seconds / entry.bytes
        return self._level + worth, next(self._ticks)

    def _is_over(self) -> bool:
        most = self._settings.max_entries
        return self.bytes > self._settings.max_bytes or (most is not None and len(self._entries) > most)

    def _evict(self) -> None:
        """Drop the least worthy entry. Those that were used since they got their places in the heap get new ones."""
        while True:
            worth, tick, key = self._heap[0]
            entry = self._entries[key]
            if entry.rank == (worth, tick):
                heapq.heappop(self._heap)
                self._level = worth
                self.bytes -= entry.bytes
                del self._entries[key]
                return
            heapq.heapreplace(self._heap, (*entry.rank, key))
