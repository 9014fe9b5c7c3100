"""Inputs that no wire feeds: the engine fills them in with what their kind says."""

from collections.abc import Iterable, Mapping
from typing import Any

from execution.dynamic import DynamicGraph
from execution.graph import LITERAL_LIST, Link, Node

Document = Mapping[str, Any]


class NodeNotFoundError(KeyError):
    """A node asks for one that is not in the graph, or no longer."""


class DynamicPrompt:
    """The graph as it is now, under the names by which ComfyUI's nodes ask for it (DYNPROMPT)."""

    def __init__(self, graph: DynamicGraph, original: Document) -> None:
        self._graph = graph
        self._original = original

    def get_node(self, node_id: str) -> Document:
        """The node in API format. Raises NodeNotFoundError."""
        if node_id in self._original:
            return self._original[node_id]
        if node_id not in self._graph:
            raise NodeNotFoundError(f"There is no node {node_id}.")
        return _document(self._graph[node_id])

    def has_node(self, node_id: str) -> bool:
        return node_id in self._original or node_id in self._graph

    def get_original_prompt(self) -> Document:
        """The graph as it was queued."""
        return self._original

    def get_parent_node_id(self, node_id: str) -> str | None:
        """The node that expanded into this one; None for a node of the queued graph."""
        origin = self._graph.origin(node_id)
        return None if origin is None else origin.parent

    def get_real_node_id(self, node_id: str) -> str:
        """The node of the queued graph that this one comes from."""
        origin = self._graph.origin(node_id)
        return node_id if origin is None else origin.real

    def get_display_node_id(self, node_id: str) -> str:
        """The node that this one is shown as."""
        origin = self._graph.origin(node_id)
        return node_id if origin is None else origin.display

    def all_node_ids(self) -> set[str]:
        return {*self._original, *self._graph}


def _document(node: Node) -> Document:
    inputs = {name: _value(value) for name, value in node.inputs.items()}
    return {"class_type": node.type, "inputs": inputs, "_meta": dict(node.meta)}


def _value(value: Any) -> Any:
    match value:
        case Link(source, output):
            return [source, output]
        case [str(), int()]:
            return {LITERAL_LIST: value}
        case _:
            return value


def hidden_inputs(
    hidden: Iterable[tuple[str, str]], node_id: str, graph: DynamicGraph, original: Document, extra_data: Document
) -> dict[str, Any]:
    """The values of a node's hidden inputs, given as pairs of name and kind; of an unknown kind: None."""
    return {name: _of_kind(kind, node_id, graph, original, extra_data) for name, kind in hidden}


def _of_kind(kind: str, node_id: str, graph: DynamicGraph, original: Document, extra_data: Document) -> Any:
    match kind:
        case "UNIQUE_ID":
            return node_id
        case "PROMPT":
            return original
        case "DYNPROMPT":
            return DynamicPrompt(graph, original)
        case "EXTRA_PNGINFO":
            return extra_data.get("extra_pnginfo")
        case "AUTH_TOKEN_COMFY_ORG" | "API_KEY_COMFY_ORG":
            return extra_data.get(kind.lower())
        case _:
            return None
