"""Derives the graph in API format that a workflow stands for."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from execution.graph import LITERAL_LIST
from execution.workflow.document import BYPASSED, MUTED, VIRTUAL, DrawnNode, WorkflowError, read
from execution.workflow.groups import read_groups
from execution.workflow.meaning import ValueOf, decide
from execution.workflow.scope import Scope
from execution.workflow.size import Measure
from execution.workflow.texts import Choose
from execution.workflow.widgets import widget_values
from execution.workflow.wires import Literal, Source, Wires
from nodes.spec import NodeSpec

NAME_FOR_SEARCH = "Node name for S&R"

Adjust = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A node, where it is drawn."""

    scope: Scope
    node: DrawnNode

    @property
    def id(self) -> str:
        return f"{self.scope.prefix}{self.node.id}"

    @property
    def runs(self) -> bool:
        is_on = self.node.mode not in (MUTED, BYPASSED) and self.node.type not in VIRTUAL
        return is_on and self.scope.inside(self.node) is None


def to_graph(
    document: Any,
    specs: Mapping[str, NodeSpec],
    *,
    choose: Choose = random.choice,
    moment: datetime | None = None,
    adjust: Adjust = lambda graph: graph,
) -> dict[str, Any]:
    """The graph of an editor's document: what is muted left out, wires drawn through, widgets by name.

    `choose` picks among the alternatives of dynamic prompts. `adjust` may change values as though they were typed,
    before it is decided what their texts mean. Raises WorkflowError, and what `adjust` does.
    """
    read_document = read(document)
    measure = Measure()
    placed = _placed(Scope(read_document.root, read_document, read_groups(document)), measure)
    typed = {one.id: _typed(one, specs.get(one.node.type), measure) for one in placed}
    wires = Wires()
    graph: dict[str, Any] = {}
    for one in placed:
        if one.runs and one.id in graph:
            raise WorkflowError(f"Two nodes of the workflow are node {one.id} of its graph. Give one another id.")
        if one.runs:
            spec = specs.get(one.node.type)
            graph[one.id] = {
                "inputs": _wrapped(typed[one.id]) | _wired(one, wires),
                "class_type": one.node.type,
                "_meta": {"title": one.node.title or (spec.display_name if spec is not None else one.node.type)},
            }
    graph = adjust(_without_loose_ends(graph))
    decide(graph, specs, _values_by_name(placed, typed, graph), choose, moment or datetime.now())
    return graph


def _placed(root: Scope, measure: Measure) -> list[_Placed]:
    """All nodes as drawn, those of a subgraph in the place of its instance; not what is within one that is off."""
    placed: list[_Placed] = []
    waiting = [_Placed(root, node) for node in reversed(root.drawing.in_order())]
    while waiting:
        one = waiting.pop()
        inner = None if one.node.mode in (MUTED, BYPASSED) else one.scope.inside(one.node)
        if inner is None:
            placed.append(one)
        else:
            measure.add_overrides(inner.overrides)
            waiting.extend(_Placed(inner, node) for node in reversed(inner.drawing.in_order()))
        measure.check_nodes(len(placed) + len(waiting))
    return placed


def _typed(placed: _Placed, spec: NodeSpec | None, measure: Measure) -> Mapping[str, Any]:
    """The values of a node's widgets, as given by the subgraph's instance where it gives any."""
    if placed.node.type in VIRTUAL:
        values = placed.node.values
        return {"value": values[0]} if isinstance(values, list) and values else {}
    measure.add_slots(len(placed.node.inputs))
    measure.add_values(placed.node.values)
    return {**widget_values(placed.node, spec), **placed.scope.overrides.get(placed.node.id, {})}


def _wrapped(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lists are marked as values, because a bare list is a link."""
    return {name: {LITERAL_LIST: value} if isinstance(value, list) else value for name, value in values.items()}


def _wired(placed: _Placed, wires: Wires) -> dict[str, Any]:
    """What wires bring to the inputs of a node; a wire that brings nothing leaves the widget's value."""
    found: dict[str, Any] = {}
    for index, slot in enumerate(placed.node.inputs):
        match wires.origin(placed.scope, placed.scope.link(placed.node, index)):
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


def _values_by_name(
    placed: Sequence[_Placed], typed: Mapping[str, Mapping[str, Any]], graph: Mapping[str, Any]
) -> ValueOf:
    """Looks a value up by the name of its node (of several the first that runs, or else the first) and its widget."""
    named: dict[str, _Placed] = {}
    ordered = sorted(placed, key=lambda one: one.id not in graph)
    for name_of in (lambda one: one.node.properties.get(NAME_FOR_SEARCH), lambda one: one.node.title):
        for one in ordered:
            if isinstance(name := name_of(one), str):
                named.setdefault(name, one)

    def value_of(name: str, widget: str) -> Any:
        if name not in named:
            return None
        node_id = named[name].id
        value = graph[node_id]["inputs"].get(widget) if node_id in graph else None
        is_wired = value is None or isinstance(value, list)
        return typed[node_id].get(widget) if is_wired else value

    return value_of
