"""`comfy_execution.graph_utils`: how a node builds the graph that is to run in its place."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar


def is_link(obj: Any) -> bool:
    """Whether a value is a link, [node id, output]."""
    if not isinstance(obj, list) or len(obj) != 2:
        return False
    return isinstance(obj[0], str) and isinstance(obj[1], int | float)


class Node:
    """One node of a graph that is being built."""

    def __init__(self, id: str, class_type: str, inputs: dict[str, Any]) -> None:
        self.id = id
        self.class_type = class_type
        self.inputs = inputs
        self.override_display_id: str | None = None

    def out(self, index: int) -> list[Any]:
        """A link to one of its outputs."""
        return [self.id, index]

    def set_input(self, key: str, value: Any) -> None:
        """Gives an input a value or a link; None takes it away."""
        if value is None:
            self.inputs.pop(key, None)
        else:
            self.inputs[key] = value

    def get_input(self, key: str) -> Any:
        """The value or link of an input, or None."""
        return self.inputs.get(key)

    def set_override_display_id(self, override_display_id: str) -> None:
        """Has what the node does shown on another node."""
        self.override_display_id = override_display_id

    def serialize(self) -> dict[str, Any]:
        """The node in API format."""
        shown = {} if self.override_display_id is None else {"override_display_id": self.override_display_id}
        return {"class_type": self.class_type, "inputs": dict(self.inputs), **shown}


class GraphBuilder:
    """A graph to run in a node's place. The ids of its nodes begin with a prefix that no other graph has."""

    prefixes: ClassVar[Iterator[str]] = (f"{number}." for number in itertools.count())
    """What begins the ids of the next graph."""

    def __init__(self, prefix: str | None = None) -> None:
        self.prefix = self.alloc_prefix() if prefix is None else prefix
        self.nodes: dict[str, Node] = {}
        self.id_gen = 1

    @classmethod
    def alloc_prefix(cls, root: str | None = None, call_index: int | None = None, graph_index: Any = None) -> str:
        """A prefix that no other graph has, unless one is given in parts."""
        if root is None and call_index is None and graph_index is None:
            return next(cls.prefixes)
        return ".".join(str(part) for part in (root, call_index, graph_index) if part is not None) + "."

    @classmethod
    def set_default_prefix(cls, prefix_root: str, call_index: int, graph_index: int = 0) -> None:
        """Nothing to do: the engine knows which node and which call a graph comes from."""

    def node(self, class_type: str, id: str | None = None, **kwargs: Any) -> Node:
        """Adds a node, or returns the one that has this id already."""
        if id is None:
            id = str(self.id_gen)
            self.id_gen += 1
        id = f"{self.prefix}{id}"
        if id not in self.nodes:
            self.nodes[id] = Node(id, class_type, kwargs)
        return self.nodes[id]

    def lookup_node(self, id: str) -> Node | None:
        """The node that was added under this id."""
        return self.nodes.get(f"{self.prefix}{id}")

    def finalize(self) -> dict[str, dict[str, Any]]:
        """The graph in API format."""
        return {id: node.serialize() for id, node in self.nodes.items()}

    def replace_node_output(self, node_id: str, index: int, new_value: Any) -> None:
        """Gives the readers of an output another value; None takes their input away."""
        link = [f"{self.prefix}{node_id}", index]
        for node in self.nodes.values():
            for key in [key for key, value in node.inputs.items() if is_link(value) and value == link]:
                node.set_input(key, new_value)

    def remove_node(self, id: str) -> None:
        """Takes a node out."""
        del self.nodes[f"{self.prefix}{id}"]


def add_graph_prefix(
    graph: Mapping[str, Mapping[str, Any]], outputs: Any, prefix: str
) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The graph in API format and the links to it, with all ids prefixed."""

    def prefixed(value: Any) -> Any:
        return [f"{prefix}{value[0]}", value[1]] if is_link(value) else value

    nodes = {
        f"{prefix}{id}": {**node, "inputs": {name: prefixed(value) for name, value in node["inputs"].items()}}
        for id, node in graph.items()
    }
    return nodes, tuple(prefixed(value) for value in outputs)
