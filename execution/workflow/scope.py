"""A drawing where it is used, and the values that it takes from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from execution.workflow.document import Document, Drawing, DrawnLink, DrawnNode, WorkflowError
from execution.workflow.groups import Group

Values = Mapping[str, Mapping[str, Any]]
"""Values of widgets, by node id and name."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The workflow itself, or the inside of one instance of a subgraph or group.

    `overrides` are the values that widgets inside take from the instance.
    """

    drawing: Drawing
    document: Document
    groups: Mapping[str, Group]
    prefix: str = ""
    parent: Scope | None = None
    instance: DrawnNode | None = None
    overrides: Values = field(default_factory=dict[str, Mapping[str, Any]])
    _insides: dict[str, Scope] = field(default_factory=dict[str, "Scope"])

    def inside(self, instance: DrawnNode) -> Scope | None:
        """The inside of an instance of a subgraph or group. Raises WorkflowError if that contains itself."""
        is_instance = instance.type in self.groups or instance.type in self.document.definitions
        if is_instance and instance.id not in self._insides:
            self._refuse_circle(instance)
            self._insides[instance.id] = self._entered(instance)
        return self._insides.get(instance.id)

    def _entered(self, instance: DrawnNode) -> Scope:
        prefix = f"{self.prefix}{instance.id}:"
        group = self.groups.get(instance.type)
        if group is not None:
            return Scope(group.inside(instance), self.document, self.groups, prefix, self, instance)
        definition = self.document.definitions[instance.type]
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
        number = node.inputs[slot].link if 0 <= slot < len(node.inputs) else None
        return self.drawing.links.get(number) if number is not None else None


def _overrides(scope: Scope, instance: DrawnNode, definition: Drawing) -> Values:
    """The values that an instance gives to widgets inside it: its own, or those that its own surroundings give it."""
    found: dict[str, dict[str, Any]] = {}
    from_outside = scope.overrides.get(instance.id, {})
    values = instance.values
    for number, (inner_id, name) in enumerate(_promoted(instance)):
        given = from_outside.get(name)
        if given is None and isinstance(values, list) and number < len(values):
            given = values[number]
        elif given is None and isinstance(values, Mapping):
            given = values.get(name)
        if given is not None:
            for node_id, widget in [(inner_id, name)] if inner_id in definition.nodes else _fed(definition, name):
                found.setdefault(node_id, {})[widget] = given
    return found


def _promoted(instance: DrawnNode) -> list[tuple[str, str]]:
    """The widgets shown on an instance: inner node id (-1: whatever the input of that name feeds) and widget."""
    listed = instance.properties.get("proxyWidgets")
    if isinstance(listed, list):
        return [(str(one[0]), str(one[1])) for one in listed if isinstance(one, list) and len(one) >= 2]
    return [("-1", slot.name) for slot in instance.inputs if slot.widget is not None]


def _fed(definition: Drawing, name: str) -> Iterator[tuple[str, str]]:
    """The widgets inside that an input of the subgraph feeds."""
    slot = definition.inputs.index(name) if name in definition.inputs else -1
    for link in definition.fed.get(slot, ()):
        target = definition.nodes.get(link.target)
        if target is not None and 0 <= link.target_slot < len(target.inputs):
            one = target.inputs[link.target_slot]
            yield target.id, one.widget or one.name
