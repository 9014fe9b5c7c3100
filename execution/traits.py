"""What tells whether a worker is prepared for a job: the models that it names, and what its nodes are made from."""

import sys
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from execution.graph import CycleError, GraphError, GraphLimits, Link, Node, ordered, parse
from execution.json_text import JsonText
from execution.recent import Asked, Recent

MODEL_SUFFIXES = frozenset({".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".onnx"})
MOST_NODES = 1_000
"""Larger graphs are told by their files alone."""

ACCEPTED = GraphLimits.of(sys.maxsize)
"""What has been queued was within the limits of its server."""


@dataclass(frozen=True, slots=True)
class Traits:
    """`files` are names of models; `nodes` are hashes of the contents of nodes, what they read included."""

    files: frozenset[str] = field(default_factory=frozenset[str])
    nodes: frozenset[int] = field(default_factory=frozenset[int])


def traits_of(document: Any) -> Traits:
    """The traits of a graph in API format. One that cannot be read has none."""
    try:
        graph = parse(document, ACCEPTED)
        order = ordered(graph, graph) if len(graph) <= MOST_NODES else []
    except (GraphError, CycleError):
        return Traits()
    files = {value for node in graph.values() for value in node.inputs.values() if _is_model(value)}
    found: dict[str, int] = {}
    for node_id in order:
        found[node_id] = _content(graph[node_id], found)
    return Traits(frozenset(files), frozenset(found.values()))


class KnownTraits:
    """The traits of graphs, those of the last ones without another look at them."""

    def __init__(self) -> None:
        self._recent: Recent[Traits] = Recent()

    def of(self, graph: JsonText) -> Traits:
        asked = Asked(graph.text, None)
        found = self._recent.get(asked)
        if found is None:
            found = traits_of(graph.read())
            self._recent.put(asked, found)
        return found


def _is_model(value: Any) -> bool:
    return isinstance(value, str) and PurePath(value).suffix.lower() in MODEL_SUFFIXES


def _content(node: Node, found: dict[str, int]) -> int:
    inputs = (
        (name, (found.get(value.source), value.output) if isinstance(value, Link) else repr(value))
        for name, value in sorted(node.inputs.items())
    )
    return hash((node.type, *inputs))


class Holdings:
    """What a worker has lately been given to do, and so probably still holds; the oldest is forgotten first."""

    def __init__(self, most_files: int = 16, most_nodes: int = 20_000) -> None:
        self._files: OrderedDict[str, None] = OrderedDict()
        self._nodes: OrderedDict[int, None] = OrderedDict()
        self._most_files = most_files
        self._most_nodes = most_nodes

    def __len__(self) -> int:
        return len(self._files) + len(self._nodes)

    def add(self, traits: Traits) -> None:
        _remember(self._files, traits.files, self._most_files)
        _remember(self._nodes, traits.nodes, self._most_nodes)

    def clear(self) -> None:
        self._files.clear()
        self._nodes.clear()

    def shared(self, traits: Traits) -> tuple[int, int]:
        """How many of these files, and how many of these nodes' results, are probably held. Models weigh more."""
        return sum(file in self._files for file in traits.files), sum(node in self._nodes for node in traits.nodes)


def _remember(held: OrderedDict[Any, None], new: Iterable[Any], most: int) -> None:
    for one in new:
        held[one] = None
        held.move_to_end(one)
    while len(held) > most:
        held.popitem(last=False)
