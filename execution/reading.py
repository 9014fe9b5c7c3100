"""Queued graphs as a worker understands them. One that comes again unchanged is not read, ordered and keyed again."""

from collections.abc import Mapping
from itertools import zip_longest

from execution.cache import Fingerprint, Key, add_keys, told_by
from execution.graph import Graph, Link, NodeId, adopt, ordered
from execution.kinds import Kind
from execution.recent import Asked, Recent
from execution.run import Run

UNCHANGING = frozenset({Link, str, int, float, bool, type(None)})
"""Types of values that no node can change while it has them."""


class Reading:
    """A graph, its nodes in the order in which they are looked at, and the keys that these have had last."""

    def __init__(self, graph: Graph, order: list[NodeId]) -> None:
        self.graph = graph
        self.order = order
        self.types = tuple(dict.fromkeys(graph[node_id].type for node_id in order))
        self._kinds: list[Kind] = []
        self._asking: list[NodeId] = []
        self._told: dict[NodeId, str | None] = {}
        self._keys: dict[NodeId, Key | None] = {}

    def keys(self, kinds: Mapping[str, Kind], fingerprint: Fingerprint) -> dict[NodeId, Key | None]:
        """The content keys, made anew unless all that they are made of is what it was: the types' declarations, and
        what the fingerprints say, which are asked every time."""
        current = [kinds[type] for type in self.types]
        is_as_before = all(one is before for one, before in zip_longest(current, self._kinds))
        if not is_as_before:
            self._asking = [id for id in self.order if kinds[self.graph[id].type].spec.fingerprint is not None]
        told = told_by(self.graph, self._asking, kinds, fingerprint)
        if not is_as_before or told != self._told:
            self._keys = {}
            add_keys(self._keys, self.graph, self.order, kinds, told)
            self._kinds, self._told = current, told
        return dict(self._keys)

    @property
    def is_lasting(self) -> bool:
        """Whether it is the same after its nodes have run: they are given its values, and may change lists."""
        return all(type(value) in UNCHANGING for node in self.graph.values() for value in node.inputs.values())


class Readings:
    """The graphs that were queued lately."""

    def __init__(self) -> None:
        self._recent: Recent[Reading] = Recent()

    def of(self, run: Run) -> Reading:
        asked = Asked(run.graph.text, run.targets)
        found = self._recent.get(asked)
        if found is None:
            graph = adopt(run.graph.read())
            found = Reading(graph, ordered(graph, run.targets))
            if found.is_lasting:
                self._recent.put(asked, found)
        return found
