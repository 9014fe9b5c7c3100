"""A graph: nodes by id, their inputs, the links between them, and the orders in which it can be walked.

Nothing here recurses, so a chain of ten thousand nodes is as welcome as one of ten.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

NodeId = str
LONGEST_TITLE = 100
HARMLESS = frozenset({int, bool, type(None)})
LITERAL_LIST = "__value__"
"""The key that marks a list as a value; a bare list is a link."""


@dataclass(frozen=True, slots=True)
class Link:
    """An input that comes from output number `output` of the node `source`."""

    source: NodeId
    output: int


@dataclass(frozen=True, slots=True)
class BadLink:
    """A list in the place of a link that is none; validation reports it where it stands."""

    received: Any


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a node type: literals, links and bad links by input name. `meta` is what `_meta` held."""

    id: NodeId
    type: str
    inputs: Mapping[str, Any]
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def title(self) -> str:
        """The name that a person gave to the node, as far as it can be shown, else its type."""
        title = self.meta.get("title")
        return title[:LONGEST_TITLE] if isinstance(title, str) and title else self.type

    def links(self) -> Iterator[Link]:
        return (value for value in self.inputs.values() if isinstance(value, Link))


Graph = Mapping[NodeId, Node]


@dataclass(frozen=True, slots=True)
class GraphLimits:
    """The largest graph that is read. One node may have as many inputs as there may be nodes: all may feed one.

    `text` and `key` are characters, of a value and of a name (id, type or input).
    """

    nodes: int = 20_000
    links: int = 100_000
    inputs_per_node: int = 20_000
    depth: int = 64
    text: int = 1 << 20
    key: int = 256

    @classmethod
    def of(cls, nodes: int) -> GraphLimits:
        """The limits for graphs of at most so many nodes; what goes with the number of nodes grows with it."""
        least = cls()
        return cls(
            nodes=nodes,
            links=max(least.links, nodes * least.links // least.nodes),
            inputs_per_node=max(least.inputs_per_node, nodes),
        )


class GraphError(ValueError):
    """The document is not a graph; `node_id` says which node is to blame, where it is one."""

    def __init__(self, message: str, node_id: str | None = None, *, no_type: bool = False) -> None:
        super().__init__(message)
        self.node_id = node_id
        self.no_type = no_type


def parse(document: Any, limits: GraphLimits | None = None) -> dict[NodeId, Node]:
    """Read API format, {node id: {"class_type": str, "inputs": {name: value}, "_meta": {…}}}.

    Raises GraphError.
    """
    limits = limits or GraphLimits()
    if not isinstance(document, Mapping):
        raise GraphError(f"A graph is an object of nodes by id, not {_kind(document)}.")
    if len(document) > limits.nodes:
        raise GraphError(f"The graph has {len(document)} nodes; the limit is {limits.nodes}.")
    graph: dict[NodeId, Node] = {}
    links = 0
    names: set[str] = set()
    for node_id, data in document.items():
        node = graph[node_id] = _parse_node(node_id, data, limits, names)
        links += sum(type(value) is Link for value in node.inputs.values())
    if links > limits.links:
        raise GraphError(f"The graph has {links} links; the limit is {limits.links}.")
    return graph


def adopt(document: Mapping[str, Any]) -> dict[NodeId, Node]:
    """Read a graph that `parse` has read before, and so need not be looked at again."""
    return {
        node_id: Node(
            node_id,
            data["class_type"],
            {name: _input(value) for name, value in data.get("inputs", {}).items()},
            data.get("_meta", {}),
        )
        for node_id, data in document.items()
    }


def _input(value: Any) -> Any:
    """What the value in the place of an input means: a link, a bad one, or itself."""
    if isinstance(value, list):
        return Link(value[0], value[1]) if _is_link(value) else BadLink(value)
    if isinstance(value, dict) and isinstance(value.get(LITERAL_LIST), list):
        return value[LITERAL_LIST]
    return value


def _parse_node(node_id: Any, data: Any, limits: GraphLimits, names: set[str]) -> Node:
    """Read one node. `names` are those of types and inputs that are known to be in order."""
    _check_key(node_id, "A node id", limits)
    if not isinstance(data, Mapping):
        raise GraphError(f"Node {node_id} is {_kind(data)}, not an object with class_type and inputs.", node_id)
    node_type = data.get("class_type")
    if not isinstance(node_type, str) or not node_type:
        raise GraphError(f"Node {node_id} has no class_type.", node_id, no_type=node_type is None)
    if node_type not in names:
        _check_key(node_type, f"The class_type of node {node_id}", limits, node_id)
        names.add(node_type)
    inputs = data.get("inputs", {})
    if not isinstance(inputs, Mapping):
        raise GraphError(f"The inputs of node {node_id} are {_kind(inputs)}, not an object.", node_id)
    if len(inputs) > limits.inputs_per_node:
        raise GraphError(f"Node {node_id} has {len(inputs)} inputs; the limit is {limits.inputs_per_node}.", node_id)
    meta = data.get("_meta", {})
    if meta:
        _check_literal(meta, f"_meta of node {node_id}", node_id, limits)
    parsed: dict[str, Any] = {}
    for name, value in inputs.items():
        if name not in names:
            _check_key(name, f"The name of an input of node {node_id}", limits, node_id)
            names.add(name)
        read = parsed[name] = _input(value)
        if type(read) is not Link and type(value) not in HARMLESS:
            _check_literal(value, f"input {name} of node {node_id}", node_id, limits)
    return Node(node_id, node_type, parsed, meta if isinstance(meta, Mapping) else {})


def _is_link(value: list[Any]) -> bool:
    return len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int and value[1] >= 0


def _check_key(key: Any, what: str, limits: GraphLimits, node_id: str | None = None) -> None:
    if not isinstance(key, str):
        raise GraphError(f"{what} is {_kind(key)}, not a text.", node_id)
    if len(key) > limits.key:
        raise GraphError(f"{what} has {len(key)} characters; the limit is {limits.key}.", node_id)
    if not _is_clean(key):
        raise GraphError(f"{what} holds a character that is none (NUL or half a surrogate pair).", node_id)


def _check_literal(value: Any, where: str, node_id: str, limits: GraphLimits) -> None:
    """Refuse what strict JSON cannot carry, and what is deeper or longer than the limits."""
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            if len(item) > limits.text:
                raise GraphError(f"The {where} has {len(item)} characters; the limit is {limits.text}.", node_id)
            if not _is_clean(item):
                raise GraphError(f"The {where} holds a character that is none (NUL or half a surrogate pair).", node_id)
        elif isinstance(item, float):
            if not math.isfinite(item):
                raise GraphError(f"The {where} is {item}, which is not a finite number.", node_id)
        elif isinstance(item, Mapping | list):
            if depth >= limits.depth:
                raise GraphError(f"The {where} is nested deeper than {limits.depth} levels.", node_id)
            children = (*item.keys(), *item.values()) if isinstance(item, Mapping) else item
            waiting.extend((child, depth + 1) for child in children)
        elif item is not None and not isinstance(item, int):
            raise GraphError(f"The {where} is {_kind(item)}, which JSON does not have.", node_id)


def _is_clean(text: str) -> bool:
    if "\0" in text:
        return False
    if text.isascii():
        return True
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else f"a {type(value).__name__}")


def to_document(graph: Graph) -> dict[str, Any]:
    """The graph in API format."""
    return {node_id: _node_document(node) for node_id, node in graph.items()}


def _node_document(node: Node) -> dict[str, Any]:
    document: dict[str, Any] = {
        "inputs": {name: _input_document(value) for name, value in node.inputs.items()},
        "class_type": node.type,
    }
    if node.meta:
        document["_meta"] = dict(node.meta)
    return document


def _input_document(value: Any) -> Any:
    if type(value) is Link:
        return [value.source, value.output]
    if type(value) is list:
        return {LITERAL_LIST: value}
    return value.received if isinstance(value, BadLink) else value


def needed(graph: Graph, targets: Iterable[NodeId]) -> set[NodeId]:
    """The targets and all nodes that they depend on, as far as these exist."""
    found: set[NodeId] = set()
    waiting = [target for target in targets if target in graph]
    while waiting:
        node_id = waiting.pop()
        if node_id in found:
            continue
        found.add(node_id)
        waiting.extend(link.source for link in graph[node_id].links() if link.source in graph)
    return found


def readers(graph: Graph, among: Iterable[NodeId]) -> dict[NodeId, list[NodeId]]:
    """For each node the ones among these that read it, once per link."""
    found: dict[NodeId, list[NodeId]] = {}
    for node_id in among:
        for link in graph[node_id].links():
            found.setdefault(link.source, []).append(node_id)
    return found


def reached(neighbors: Mapping[NodeId, Iterable[NodeId]], starts: Iterable[NodeId]) -> set[NodeId]:
    """The starts and all that can be reached from them."""
    found: set[NodeId] = set()
    waiting = list(starts)
    while waiting:
        node_id = waiting.pop()
        if node_id not in found:
            found.add(node_id)
            waiting.extend(neighbors.get(node_id, ()))
    return found


class CycleError(ValueError):
    """The graph has a cycle: `nodes`, where each needs the next and the last the first."""

    def __init__(self, nodes: list[NodeId]) -> None:
        super().__init__(" -> ".join([*nodes, nodes[0]]))
        self.nodes = nodes


MOST_CYCLES = 100
"""How many cycles are described; a graph that has more is beyond help by a list."""


def ordered(
    graph: Graph,
    targets: Iterable[NodeId],
    known: Container[NodeId] = (),
    links: Callable[[Node], Iterator[Link]] = Node.links,
) -> list[NodeId]:
    """The nodes that the targets need, sources first, not looking behind those that are `known`.

    Walks depth first from the targets in their order and the inputs in theirs, so that the order is stable and
    results are used soon after they are made. Known nodes are left out. Raises CycleError.
    """
    order, found = _walk(graph, targets, known, links)
    if found:
        raise CycleError(found[0])
    return order


def needed_and_cycles(graph: Graph, targets: Iterable[NodeId]) -> tuple[list[NodeId], list[list[NodeId]]]:
    """What the targets need, and the cycles in it, at most MOST_CYCLES; each node of one needs the next."""
    return _walk(graph, targets, (), Node.links)


def _walk(
    graph: Graph, targets: Iterable[NodeId], known: Container[NodeId], links: Callable[[Node], Iterator[Link]]
) -> tuple[list[NodeId], list[list[NodeId]]]:
    """Depth first with a stack of our own: the nodes in the order in which they are done, and the cycles met."""
    order: list[NodeId] = []
    found: list[list[NodeId]] = []
    done: set[NodeId] = set()
    for root in targets:
        if root in done or root in known or root not in graph:
            continue
        path = [root]
        places = {root: 0}
        waiting = [links(graph[root])]
        while path:
            for link in waiting[-1]:
                source = link.source
                if source in done or source in known or source not in graph:
                    continue
                if source not in places:
                    places[source] = len(path)
                    path.append(source)
                    waiting.append(links(graph[source]))
                    break
                if len(found) < MOST_CYCLES:
                    found.append(path[places[source] :])
            else:
                waiting.pop()
                node_id = path.pop()
                del places[node_id]
                done.add(node_id)
                order.append(node_id)
    return order, found
