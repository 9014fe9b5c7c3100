"""Derives the graph in API format that a workflow stands for."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from execution.graph import LITERAL_LIST
from execution.workflow.document import BYPASSED, MUTED, VIRTUAL, DrawnNode, WorkflowError, read
from execution.workflow.groups import read_groups
from execution.workflow.texts import Choose, fill_placeholders, resolve_dynamic
from execution.workflow.widgets import widget_values
from execution.workflow.wires import Literal, Scope, Source, source_of
from nodes.inputs import given
from nodes.spec import Choice, InputSpec, NodeSpec, Text

NAME_FOR_SEARCH = "Node name for S&R"
FILE_PREFIX = "filename_prefix"
OLD_SAMPLER = "sample_"
"""What old documents write before the names of samplers."""

MOST_NODES = 20_000


@dataclass(frozen=True, slots=True)
class _Placed:
    """A node that runs, where it is drawn."""

    scope: Scope
    node: DrawnNode

    @property
    def id(self) -> str:
        return f"{self.scope.prefix}{self.node.id}"


def to_graph(
    document: Any,
    specs: Mapping[str, NodeSpec],
    *,
    choose: Choose = random.choice,
    moment: datetime | None = None,
) -> dict[str, Any]:
    """The graph of an editor's document: what is muted left out, wires drawn through, widgets by name.

    `choose` picks among the alternatives of dynamic prompts. Raises WorkflowError.
    """
    read_document = read(document)
    placed = _placed(Scope(read_document.root, read_document, read_groups(document)))
    values = {one.id: _values(one, specs.get(one.node.type), choose) for one in placed}
    _fill_prefixes(placed, values, moment or datetime.now())
    graph: dict[str, Any] = {}
    for one in placed:
        spec = specs.get(one.node.type)
        graph[one.id] = {
            "inputs": _wrapped(values[one.id]) | _links(one),
            "class_type": one.node.type,
            "_meta": {"title": one.node.title or (spec.display_name if spec is not None else one.node.type)},
        }
    return _without_loose_ends(graph)


def _placed(root: Scope) -> list[_Placed]:
    """All nodes that run, those of a subgraph in the place of its instance."""
    placed: list[_Placed] = []
    waiting = [(root, node) for node in reversed(root.drawing.in_order())]
    while waiting:
        scope, node = waiting.pop()
        if node.mode in (MUTED, BYPASSED) or node.type in VIRTUAL:
            continue
        inner = scope.inside(node)
        if inner is not None:
            waiting.extend((inner, one) for one in reversed(inner.drawing.in_order()))
        else:
            placed.append(_Placed(scope, node))
        if len(placed) + len(waiting) > MOST_NODES:
            raise WorkflowError(f"With its subgraphs the workflow has more than {MOST_NODES} nodes.")
    return placed


def _values(placed: _Placed, spec: NodeSpec | None, choose: Choose) -> dict[str, Any]:
    """The widgets' values, as given by the subgraph's instance where it gives any, with dynamic prompts decided."""
    values = widget_values(placed.node, spec)
    for (node_id, name), value in placed.scope.overrides.items():
        if node_id == placed.node.id:
            values[name] = value
    for one in given(spec.inputs, values) if spec is not None else ():
        value = values.get(one.name)
        if isinstance(value, str):
            values[one.name] = _meant(one, value, choose)
    return values


def _meant(spec: InputSpec, value: str, choose: Choose) -> str:
    """What a typed text stands for: one alternative of a dynamic prompt, a sampler by its old name."""
    if isinstance(spec.widget, Text) and spec.widget.dynamic_prompts:
        return resolve_dynamic(value, choose)
    if isinstance(spec.widget, Choice) and value.startswith(OLD_SAMPLER) and value not in spec.widget.options:
        return value.removeprefix(OLD_SAMPLER)
    return value


def _fill_prefixes(placed: list[_Placed], values: Mapping[str, dict[str, Any]], moment: datetime) -> None:
    def value_of(name: str, widget: str) -> str | None:
        named = [one.id for one in placed if one.node.properties.get(NAME_FOR_SEARCH) == name]
        named = named or [one.id for one in placed if one.node.title == name]
        found = values[named[0]].get(widget) if named else None
        return None if found is None else str(found)

    for of_node in values.values():
        prefix = of_node.get(FILE_PREFIX)
        if isinstance(prefix, str):
            of_node[FILE_PREFIX] = fill_placeholders(prefix, value_of, moment)


def _wrapped(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lists are marked as values, because a bare list is a link."""
    return {name: {LITERAL_LIST: value} if isinstance(value, list) else value for name, value in values.items()}


def _links(placed: _Placed) -> dict[str, Any]:
    """What wires bring to the inputs of a node; a wire that brings nothing leaves the widget's value."""
    found: dict[str, Any] = {}
    for index, slot in enumerate(placed.node.inputs):
        match source_of(placed.scope, placed.scope.link(placed.node, index)):
            case Source(node_id, number):
                found[slot.name] = [node_id, number]
            case Literal(value):
                found |= _wrapped({slot.name: value})
            case None:
                pass
    return found


def _without_loose_ends(graph: dict[str, Any]) -> dict[str, Any]:
    """Drop links from nodes that do not run."""
    for node in graph.values():
        inputs = node["inputs"]
        node["inputs"] = {
            name: value for name, value in inputs.items() if not isinstance(value, list) or value[0] in graph
        }
    return graph
