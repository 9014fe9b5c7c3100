"""What the engine reads off a node's declaration once, because it needs it at every node of that type."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from execution.graph import Graph, Link, Node
from execution.open_names import OpenNames, lazy_names, raw_names
from nodes.inputs import Dependent, Growing, given
from nodes.spec import NodeSpec


@dataclass(frozen=True, slots=True)
class Kind:
    """A node type as the executor sees it.

    `lazy` inputs are evaluated when the node asks for them. `raw` inputs get the link itself, [id, output], instead of
    what comes through it. `has_groups`: some inputs stand for others, which the node's values decide. `keyed_by_id`:
    equal nodes of different ids are not the same, as those are not that are told their ids. `looks_around`: its
    function is given the whole graph, and may refer to any of its nodes.
    """

    spec: NodeSpec
    names: tuple[str, ...]
    lazy: frozenset[str] | OpenNames
    raw: frozenset[str] | OpenNames
    has_groups: bool
    is_urgent: bool
    keyed_by_id: bool
    looks_around: bool

    @classmethod
    def of(cls, spec: NodeSpec) -> "Kind":
        return cls(
            spec,
            tuple(one.name for one in spec.inputs),
            lazy_names(spec),
            raw_names(spec),
            any(isinstance(one.widget, Growing | Dependent) for one in spec.inputs),
            spec.output_node or inspect.iscoroutinefunction(spec.function),
            spec.keyed_by_id or not {"UNIQUE_ID", "DYNPROMPT"}.isdisjoint(spec.hidden.values()),
            "DYNPROMPT" in spec.hidden.values(),
        )

    def given(self, node: Node) -> Iterator[tuple[str, Any]]:
        """The node's inputs that its function gets, links as they stand, in the declared order."""
        inputs = node.inputs
        names = tuple(one.name for one in given(self.spec.inputs, inputs)) if self.has_groups else self.names
        for name in names:
            if name in inputs:
                yield name, inputs[name]
        takes_all = self.spec.open_inputs
        if takes_all or self.spec.open_links:
            declared = frozenset(names)
            for name, value in inputs.items():
                if name not in declared and (takes_all or isinstance(value, Link)):
                    yield name, value

    def strong_links(self, node: Node) -> Iterator[Link]:
        """The links whose sources must have run before the node can."""
        if not self.lazy:
            return node.links()
        return (value for name, value in node.inputs.items() if isinstance(value, Link) and name not in self.lazy)


class Kinds(Mapping[str, Kind]):
    """The kinds of the node types there are, each made when it is first asked for."""

    def __init__(self, specs: Mapping[str, NodeSpec]) -> None:
        self._specs = specs
        self._made: dict[str, Kind] = {}

    def __getitem__(self, node_type: str) -> Kind:
        found, spec = self._made.get(node_type), self._specs[node_type]
        if found is None or found.spec is not spec:  # nodes of packs declare themselves anew now and then
            found = self._made[node_type] = Kind.of(spec)
        return found

    def __contains__(self, node_type: object) -> bool:
        return node_type in self._specs

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)


def urgencies(graph: Graph, order: Sequence[str], kinds: Mapping[str, Kind]) -> dict[str, int]:
    """How early each of these nodes is taken among those that can run; lower is earlier.

    0: output nodes, and asynchronous ones, which then work while others do. 1: what feeds one of these outputs.
    2: what feeds that. 3: the rest.
    """
    outputs = {node_id for node_id in order if kinds[graph[node_id].type].spec.output_node}
    feeding = {link.source for node_id in outputs for link in graph[node_id].links()}
    two_away = {link.source for node_id in feeding if node_id in graph for link in graph[node_id].links()}
    return {
        node_id: 0 if kinds[graph[node_id].type].is_urgent
        else 1 if node_id in feeding
        else 2 if node_id in two_away
        else 3
        for node_id in order
    }  # fmt: skip
