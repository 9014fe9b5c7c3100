"""What feeds an input: walks wires upstream through reroutes, bypassed nodes and the walls of subgraphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from execution.input_checks import compatible
from execution.workflow.document import (
    BYPASSED,
    MUTED,
    SUBGRAPH_INPUT,
    Document,
    Drawing,
    DrawnLink,
    DrawnNode,
    WorkflowError,
)
from execution.workflow.groups import Group


@dataclass(frozen=True, slots=True)
class Scope:
    """A drawing where it is used: the workflow itself, or the inside of one instance of a subgraph or group.

    `overrides` are values that widgets inside take from the instance, by inner node id and widget.
    """

    drawing: Drawing
    document: Document
    groups: Mapping[str, Group]
    prefix: str = ""
    parent: Scope | None = None
    instance: DrawnNode | None = None
    overrides: Mapping[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])

    def inside(self, instance: DrawnNode) -> Scope | None:
        """The inside of an instance of a subgraph or group. Raises WorkflowError if that contains itself."""
        definition, group = self.document.definitions.get(instance.type), self.groups.get(instance.type)
        prefix = f"{self.prefix}{instance.id}:"
        self._refuse_circle(instance)
        if group is not None:
            return Scope(group.inside(instance), self.document, self.groups, prefix, self, instance)
        if definition is None:
            return None
        overrides = _overrides(self, instance, definition)
        return Scope(definition, self.document, self.groups, prefix, self, instance, overrides)

    def _refuse_circle(self, instance: DrawnNode) -> None:
        """Raise WorkflowError if a node lies inside another of its own subgraph."""
        around: Scope | None = self
        while around is not None:
            if around.instance is not None and around.instance.type == instance.type:
                raise WorkflowError(f"The subgraph of node {self.prefix}{instance.id} contains itself.")
            around = around.parent

    def link(self, node: DrawnNode, slot: int) -> DrawnLink | None:
        """The link that ends at an input."""
        number = node.inputs[slot].link if slot < len(node.inputs) else None
        return self.drawing.links.get(number) if number is not None else None


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that takes the place of a wire."""

    value: Any


@dataclass(frozen=True, slots=True)
class Source:
    """An output of a node that runs, by its id in the graph."""

    node_id: str
    slot: int


def source_of(scope: Scope, link: DrawnLink | None) -> Source | Literal | None:
    """What a wire brings: an output of a real node, a value, or nothing. Raises WorkflowError on endless wires."""
    visited: set[tuple[str, str, int]] = set()
    while link is not None:
        if link.source == SUBGRAPH_INPUT and scope.parent is not None and scope.instance is not None:
            scope, link = scope.parent, _outer_link(scope, link.source_slot)
            continue
        node = scope.drawing.nodes.get(link.source)
        if node is None or node.mode == MUTED:
            return None
        place = (scope.prefix, node.id, link.source_slot)
        if place in visited:
            raise WorkflowError(f"The wires through node {scope.prefix}{node.id} go in a circle.")
        visited.add(place)
        inner = scope.inside(node) if node.mode != BYPASSED else None
        if node.mode == BYPASSED:
            link = _bypass(scope, node, link.source_slot)
        elif inner is not None:
            scope, link = inner, inner.drawing.results.get(link.source_slot)
        elif node.type == "Reroute":
            link = scope.link(node, 0)
        elif node.type == "PrimitiveNode":
            return _primitive(node)
        else:
            return Source(f"{scope.prefix}{node.id}", link.source_slot)
    return None


def _outer_link(scope: Scope, slot: int) -> DrawnLink | None:
    """The link into the instance, for the input of its inside with this number."""
    instance, outer = scope.instance, scope.parent
    if instance is None or outer is None:
        return None
    names = scope.drawing.inputs
    index = instance.input_index(names[slot]) if slot < len(names) else None
    return outer.link(instance, slot if index is None else index)


def _bypass(scope: Scope, node: DrawnNode, slot: int) -> DrawnLink | None:
    """The link that a bypassed node hands on to an output: of the input in its place, else of the first that fits."""
    wanted = node.outputs[slot].type if slot < len(node.outputs) else "*"
    if slot < len(node.inputs) and compatible(node.inputs[slot].type, wanted):
        return scope.link(node, slot)
    fitting = (index for index, one in enumerate(node.inputs) if one.link is not None and compatible(one.type, wanted))
    index = next(fitting, None)
    return None if index is None else scope.link(node, index)


def _primitive(node: DrawnNode) -> Literal | None:
    values = list(node.values.values()) if isinstance(node.values, Mapping) else node.values
    return Literal(values[0]) if values else None


def _overrides(scope: Scope, instance: DrawnNode, definition: Drawing) -> dict[tuple[str, str], Any]:
    """The values that an instance gives to widgets inside it: its own, or those that its own surroundings give it."""
    found: dict[tuple[str, str], Any] = {}
    values = instance.values
    for number, (inner_id, name) in enumerate(_promoted(instance)):
        given = scope.overrides.get((instance.id, name))
        if given is None and isinstance(values, list) and number < len(values):
            given = values[number]
        elif given is None and isinstance(values, Mapping):
            given = values.get(name)
        if given is not None:
            for target in [(inner_id, name)] if inner_id in definition.nodes else _fed(definition, name):
                found[target] = given
    return found


def _promoted(instance: DrawnNode) -> list[tuple[str, str]]:
    """The widgets shown on an instance: inner node id (-1: whatever the input of that name feeds) and widget."""
    listed = instance.properties.get("proxyWidgets")
    if isinstance(listed, list):
        return [(str(one[0]), str(one[1])) for one in listed if isinstance(one, list) and len(one) >= 2]
    return [("-1", slot.name) for slot in instance.inputs if slot.widget is not None]


def _fed(definition: Drawing, name: str) -> list[tuple[str, str]]:
    """The widgets inside that an input of the subgraph feeds."""
    if name not in definition.inputs:
        return []
    slot = definition.inputs.index(name)
    links = (one for one in definition.links.values() if (one.source, one.source_slot) == (SUBGRAPH_INPUT, slot))
    fed: list[tuple[str, str]] = []
    for link in links:
        target = definition.nodes.get(link.target)
        if target is not None and link.target_slot < len(target.inputs):
            one = target.inputs[link.target_slot]
            fed.append((target.id, one.widget or one.name))
    return fed
