"""The editor's document, schema 0.4 and 1.0, read into records: nodes, links, and definitions of subgraphs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MUTED, BYPASSED = 2, 4
"""Modes of a node: it does not run; it hands its inputs on as if it were a wire."""

VIRTUAL = frozenset({"Note", "MarkdownNote", "Reroute", "PrimitiveNode"})
"""Nodes that exist only on the canvas."""

SUBGRAPH_INPUT, SUBGRAPH_OUTPUT = "-10", "-20"
"""Ids of the two ends of a subgraph's inside."""


class WorkflowError(ValueError):
    """The document is not a workflow; the message says where."""


@dataclass(frozen=True, slots=True)
class DrawnSlot:
    """An input or output as drawn. `link` is the id of the link that ends here; `widget` the value it stands for."""

    name: str
    type: str
    link: int | None = None
    widget: str | None = None


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """A node as drawn. `values` are its widgets' values, in their order or by name."""

    id: str
    type: str
    order: int
    mode: int
    title: str | None
    inputs: tuple[DrawnSlot, ...]
    outputs: tuple[DrawnSlot, ...]
    values: list[Any] | Mapping[str, Any]
    properties: Mapping[str, Any]

    def input_index(self, name: str) -> int | None:
        return next((index for index, slot in enumerate(self.inputs) if slot.name == name), None)


@dataclass(frozen=True, slots=True)
class DrawnLink:
    """A wire from an output slot of one node to an input slot of another."""

    source: str
    source_slot: int
    target: str
    target_slot: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """The nodes and links of a workflow, or of the inside of a subgraph with these inputs.

    `fed` are the links from each input of the subgraph, `results` the link to each of its outputs.
    """

    nodes: Mapping[str, DrawnNode]
    links: Mapping[int, DrawnLink]
    inputs: tuple[str, ...] = ()
    fed: Mapping[int, Sequence[DrawnLink]] = field(default_factory=dict[int, Sequence[DrawnLink]])
    results: Mapping[int, DrawnLink] = field(default_factory=dict[int, DrawnLink])

    def in_order(self) -> list[DrawnNode]:
        return sorted(self.nodes.values(), key=lambda node: node.order)


@dataclass(frozen=True, slots=True)
class Document:
    """A workflow, and the subgraphs that its nodes may be instances of, by their id."""

    root: Drawing
    definitions: Mapping[str, Drawing]


def read(document: Any) -> Document:
    """Read a document as it comes out of a JSON parser. Raises WorkflowError."""
    data = object_of(document, "the workflow")
    if not isinstance(data.get("nodes"), list):
        raise WorkflowError("This is no workflow: it has no list of nodes.")
    definitions = object_of(data.get("definitions") or {}, "definitions").get("subgraphs") or []
    found: dict[str, Drawing] = {}
    for number, definition in enumerate(list_of(definitions, "definitions.subgraphs")):
        where = f"definitions.subgraphs[{number}]"
        inside = object_of(definition, where)
        name = _text(inside.get("id"), f"{where}.id")
        drawing = _drawing(inside, where)
        if found.setdefault(name, drawing) != drawing:
            raise WorkflowError(f"Two subgraphs of the workflow have the id {name:.80}.")
    return Document(_drawing(data, "the workflow"), found)


def _drawing(data: Mapping[str, Any], where: str) -> Drawing:
    nodes = {}
    for number, item in enumerate(list_of(data.get("nodes") or [], f"nodes of {where}")):
        node = node_of(object_of(item, f"nodes[{number}] of {where}"), number, where)
        if node.id in nodes:
            raise WorkflowError(f"Two nodes of {where} have the id {node.id}.")
        nodes[node.id] = node
    links = dict(
        _link(item, f"links[{number}] of {where}")
        for number, item in enumerate(list_of(data.get("links") or [], f"links of {where}"))
        if item is not None
    )
    inputs = tuple(
        _text(object_of(item, f"inputs of {where}").get("name"), f"name of an input of {where}")
        for item in list_of(data.get("inputs") or [], f"inputs of {where}")
    )
    fed: dict[int, list[DrawnLink]] = {}
    for link in links.values():
        if link.source == SUBGRAPH_INPUT:
            fed.setdefault(link.source_slot, []).append(link)
    results = {link.target_slot: link for link in links.values() if link.target == SUBGRAPH_OUTPUT}
    return Drawing(nodes, links, inputs, fed, results)


def node_of(data: Mapping[str, Any], number: int, where: str) -> DrawnNode:
    node_id = _id(data.get("id"), f"nodes[{number}] of {where}")
    place = f"node {node_id} of {where}"
    title = data.get("title")
    order, mode = data.get("order"), data.get("mode", 0)
    values = data.get("widgets_values_named") or data.get("widgets_values") or []
    if not isinstance(values, list | Mapping):
        raise WorkflowError(f"The widgets_values of {place} are neither a list nor an object.")
    properties = data.get("properties")
    return DrawnNode(
        id=node_id,
        type=_text(data.get("type"), f"type of {place}"),
        order=order if isinstance(order, int) else number,
        mode=mode if isinstance(mode, int) else 0,
        title=title if isinstance(title, str) and title else None,
        inputs=tuple(_slot(item, place) for item in list_of(data.get("inputs") or [], f"inputs of {place}")),
        outputs=tuple(_slot(item, place) for item in list_of(data.get("outputs") or [], f"outputs of {place}")),
        values=values,
        properties=properties if isinstance(properties, Mapping) else {},
    )


def _slot(item: Any, place: str) -> DrawnSlot:
    data = object_of(item, f"a slot of {place}")
    link = data.get("link")
    widget = data.get("widget")
    kind = data.get("type")
    return DrawnSlot(
        name=_text(data.get("name"), f"name of a slot of {place}"),
        type=kind if isinstance(kind, str) else "*",
        link=link if isinstance(link, int) else None,
        widget=widget.get("name") if isinstance(widget, Mapping) and isinstance(widget.get("name"), str) else None,
    )


def _link(item: Any, where: str) -> tuple[int, DrawnLink]:
    """A link in either form: [id, source, slot, target, slot, type] or an object."""
    if isinstance(item, Mapping):
        item = [item.get(key) for key in ("id", "origin_id", "origin_slot", "target_id", "target_slot")]
    if not isinstance(item, list) or len(item) < 5:
        raise WorkflowError(f"The {where} is no link.")
    number, source, source_slot, target, target_slot = item[:5]
    if not all(isinstance(one, int) for one in (number, source_slot, target_slot)):
        raise WorkflowError(f"The {where} has an id or a slot that is no whole number.")
    return number, DrawnLink(_id(source, where), source_slot, _id(target, where), target_slot)


def _id(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise WorkflowError(f"The {where} has an id that is neither a number nor a text.")
    return str(value)


def object_of(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WorkflowError(f"In this workflow, {where} is not an object.")
    return value


def objects_of(value: Any, where: str) -> list[Mapping[str, Any]]:
    return [object_of(item, f"{where}[{number}]") for number, item in enumerate(list_of(value, where))]


def list_of(value: Any, where: str) -> list[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        raise WorkflowError(f"In this workflow, the {where} are not a list.")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise WorkflowError(f"In this workflow, the {where} is not a text.")
    return value
