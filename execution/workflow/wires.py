"""What feeds an input: walks wires upstream through reroutes, bypassed nodes and the walls of subgraphs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from execution.input_checks import compatible
from execution.workflow.document import BYPASSED, MUTED, SUBGRAPH_INPUT, DrawnLink, DrawnNode, WorkflowError
from execution.workflow.scope import Scope


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that takes the place of a wire."""

    value: Any


@dataclass(frozen=True, slots=True)
class Source:
    """An output of a node that runs, by its id in the graph."""

    node_id: str
    slot: int


Origin = Source | Literal | None
"""What a wire brings: an output of a node that runs, a value, or nothing."""

Output = tuple[Scope, str, int]
"""An output as drawn: where, id of its node, number."""


class Wires:
    """Follows wires to what feeds them; every output on the way is looked at once."""

    def __init__(self) -> None:
        self._known: dict[Output, Origin] = {}

    def origin(self, scope: Scope, link: DrawnLink | None) -> Origin:
        """What a wire brings. Raises WorkflowError on endless wires."""
        passed: set[Output] = set()
        origin: Origin = None
        while link is not None:
            if link.source == SUBGRAPH_INPUT and scope.parent is not None:
                scope, link = scope.parent, _outer_link(scope, link.source_slot)
                continue
            output = (scope, link.source, link.source_slot)
            if output in passed:
                raise WorkflowError(f"The wires through node {scope.prefix}{link.source} go in a circle.")
            if output in self._known:
                origin = self._known[output]
                break
            passed.add(output)
            found = _upstream(scope, link)
            if not isinstance(found, tuple):
                origin = found
                break
            scope, link = found
        for output in passed:
            self._known[output] = origin
        return origin


def _upstream(scope: Scope, link: DrawnLink) -> Origin | tuple[Scope, DrawnLink | None]:
    """What the output at the start of a wire brings, or the wire that feeds this output, with where that is drawn."""
    node = scope.drawing.nodes.get(link.source)
    if node is None or node.mode == MUTED:
        return None
    if node.mode == BYPASSED:
        return scope, _bypass(scope, node, link.source_slot)
    inner = scope.inside(node)
    if inner is not None:
        return inner, inner.drawing.results.get(link.source_slot)
    if node.type == "Reroute":
        return scope, scope.link(node, 0)
    if node.type == "PrimitiveNode":
        return _primitive(scope, node)
    return Source(f"{scope.prefix}{node.id}", link.source_slot)


def _outer_link(scope: Scope, slot: int) -> DrawnLink | None:
    """The link into the instance, for the input of its inside with this number."""
    instance, outer = scope.instance, scope.parent
    if instance is None or outer is None:
        return None
    names = scope.drawing.inputs
    index = instance.input_index(names[slot]) if 0 <= slot < len(names) else None
    return outer.link(instance, slot if index is None else index)


def _bypass(scope: Scope, node: DrawnNode, slot: int) -> DrawnLink | None:
    """The link that a bypassed node hands on to an output: of the input in its place if that has its type, else of the
    first connected one that has. Inputs that take anything count where none of its own type does."""
    wanted = node.outputs[slot].type if 0 <= slot < len(node.outputs) else "*"
    in_its_place = [slot] if 0 <= slot < len(node.inputs) else []
    connected = [index for index, one in enumerate(node.inputs) if one.link is not None]
    for fits in (_shares_a_type, compatible):
        for index in in_its_place + connected:
            if fits(node.inputs[index].type, wanted):
                return scope.link(node, index)
    return None


def _shares_a_type(received: str, wanted: str) -> bool:
    """Whether the two are the same, or have a type in common that both name."""
    return received == wanted or bool(_named(received) & _named(wanted))


def _named(types: str) -> set[str]:
    return {part.strip() for part in types.split(",")} - {"*"}


def _primitive(scope: Scope, node: DrawnNode) -> Literal | None:
    """The one value of the node, or what the instance around it gives for that."""
    values = list(node.values.values()) if isinstance(node.values, Mapping) else node.values
    values = [*scope.overrides.get(node.id, {}).values(), *values]
    return Literal(values[0]) if values else None
