"""Nodes that run a graph in their place: how that graph joins the one that runs, and how its results come back."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from execution.cache import Result
from execution.graph import LITERAL_LIST, CycleError, Graph, Link, Node, NodeId, ordered
from execution.kinds import Kind
from execution.lists import Answer, Listed, joined, output_at, unlisted
from nodes.inputs import given
from nodes.spec import REQUIRED, NodeSpec

LONGEST_ID = 64
"""Characters of an id that are repeated in another. Loops that copy themselves would make ever longer ones."""


class ExpansionError(ValueError):
    """What a node has expanded into cannot run."""


@dataclass(slots=True)
class Pending:
    """A node that waits for what it has expanded into. Outputs of its answers that are links come from there.

    It waits for the output nodes there too, `showing`: remembered sooner, it would not run them again if they failed.
    """

    spec: NodeSpec
    answers: list[Answer]
    started: float
    showing: list[NodeId] = field(default_factory=list)

    def links(self) -> list[Link]:
        return [value for answer in self.answers for value in answer.outputs if isinstance(value, Link)]

    @property
    def is_plain(self) -> bool:
        """Whether its outputs are those of one answer, each a single value or link."""
        return len(self.answers) == 1 and not any(output.is_list for output in self.spec.outputs)

    def awaited(self, results: Container[NodeId]) -> list[NodeId]:
        """What there is to wait for yet: links without a result, and output nodes not waited for before."""
        awaited = [*(link.source for link in self.links() if link.source not in results), *self.showing]
        self.showing = []
        return awaited

    def take_over(self, node_id: NodeId, outputs: tuple[Any, ...], showing: list[NodeId]) -> None:
        """Take the outputs of a node from where that node would have taken them, and wait for what it waits for."""
        self.showing = self.showing + showing
        self.answers = [
            answer._replace(
                outputs=tuple(
                    output_at(outputs, value.output) if isinstance(value, Link) and value.source == node_id else value
                    for value in answer.outputs
                )
            )
            for answer in self.answers
        ]

    def result(self, results: Mapping[NodeId, Result]) -> Result:
        """The node's own result, once all that it links to is there."""
        return joined(self.spec, [answer._replace(outputs=self._resolved(answer, results)) for answer in self.answers])

    def _resolved(self, answer: Answer, results: Mapping[NodeId, Result]) -> tuple[Any, ...]:
        found: list[Any] = []
        for number, value in enumerate(answer.outputs):
            if isinstance(value, Link):
                value = output_at(results[value.source].outputs, value.output)
                output = self.spec.output(number)
                value = Listed(unlisted(value)) if output is not None and output.is_list else value
            found.append(value)
        return tuple(found)


def new_ids(node_id: NodeId, real: NodeId, call: int) -> str:
    """What begins the ids of the nodes that this call of a node expands into: the same at every run of a graph."""
    return f"{node_id if len(node_id) <= LONGEST_ID else f'{real}.{_digest(node_id)}'}.{call}."


def _name(key: str, prefix: str) -> NodeId:
    """The id of a node in the graph that runs."""
    name = key if key.startswith(prefix) else f"{prefix}0.{key}"
    return name if len(name) <= len(prefix) + LONGEST_ID else f"{prefix}0.{_digest(name)}"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Expanded:
    """A graph that is to run in a node's place, with its ids made unique; the outputs refer to it by links."""

    nodes: dict[NodeId, Node]
    displays: dict[NodeId, NodeId]
    answer: Answer


def read(answer: Answer, prefix: str, around: Container[NodeId], kinds: Mapping[str, Kind]) -> Expanded:
    """Read the graph of an answer. Links may lead to its own nodes and to those `around`. Raises ExpansionError."""
    if answer.graph is None:
        return Expanded({}, {}, answer)
    document = answer.graph
    names = {key: _name(str(key), prefix) for key in document}
    nodes: dict[NodeId, Node] = {}
    displays: dict[NodeId, NodeId] = {}
    for key, data in document.items():
        node = _node(names[key], data, names, kinds)
        nodes[node.id] = node
        if isinstance(data.get("override_display_id"), str):
            displays[node.id] = data["override_display_id"]
    outputs = tuple(_value(value, names) for value in answer.outputs)
    for node in nodes.values():
        for name, value in node.inputs.items():
            if isinstance(value, Link):
                _check_link(value, f"input {name} of {node.type} ({node.id})", nodes, around, kinds)
    for number, value in enumerate(outputs):
        if isinstance(value, Link):
            _check_link(value, f"output {number}", nodes, around, kinds)
    return Expanded(nodes, displays, Answer(outputs, answer.ui))


def sources_first(
    graph: Graph, roots: Iterable[NodeId], known: Container[NodeId], kinds: Mapping[str, Kind]
) -> list[NodeId]:
    """What an expansion needs of a graph and is not known yet: its own nodes, and those of the graph around it that
    nothing has needed before. Raises ExpansionError if that cannot run."""
    try:
        order = ordered(graph, roots, known)
    except CycleError as error:
        raise ExpansionError(f"Nodes of the expansion need each other's results: {error}.") from None
    for node_id in order:
        if graph[node_id].type not in kinds:
            node_type = graph[node_id].type
            raise ExpansionError(f"The expansion needs node {node_id} of the type {node_type}, which is not installed.")
    return order


def _node(node_id: NodeId, data: Any, names: Mapping[str, NodeId], kinds: Mapping[str, Kind]) -> Node:
    node_type = data.get("class_type") if isinstance(data, Mapping) else None
    if not isinstance(node_type, str):
        raise ExpansionError(f"Node {node_id} of the expansion is no object with a class_type.")
    if node_type not in kinds:
        raise ExpansionError(f"The expansion holds a node of the type {node_type}, which is not installed.")
    inputs = {name: _value(value, names) for name, value in data.get("inputs", {}).items()}
    for declared in given(kinds[node_type].spec.inputs, inputs):
        if declared.name not in inputs and not declared.optional:
            if declared.default == REQUIRED:
                raise ExpansionError(f"{node_type} ({node_id}) of the expansion lacks its input {declared.name}.")
            inputs[declared.name] = declared.default
    return Node(node_id, node_type, inputs)


def _value(value: Any, names: Mapping[str, NodeId]) -> Any:
    """A link to a node under the name that it has now, or whatever object stands in its place."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int:
        return Link(names.get(value[0], value[0]), value[1])
    if isinstance(value, Mapping) and isinstance(value.get(LITERAL_LIST), list):
        return value[LITERAL_LIST]
    return value


def _check_link(
    link: Link, where: str, nodes: Mapping[NodeId, Node], around: Container[NodeId], kinds: Mapping[str, Kind]
) -> None:
    if link.source in nodes:
        spec = kinds[nodes[link.source].type].spec
        if spec.output(link.output) is None:
            raise ExpansionError(f"The {where} takes output {link.output} of a node that has {len(spec.outputs)}.")
    elif link.source not in around:
        raise ExpansionError(f"The {where} is linked to a node {link.source!r} that is not there.")
