"""Values given on the command line in place of those in the file: NODE.INPUT=VALUE."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from execution.graph import LITERAL_LIST
from execution.headless.errors import HeadlessError
from execution.input_checks import ANY, CONVERSIONS, shown
from execution.workflow.widgets import has_widget, takes_several
from nodes.inputs import given
from nodes.spec import Choice, InputSpec, NodeSpec

MOST_LISTED = 30
WANTED = {"INT": "a whole number", "FLOAT": "a number", "BOOLEAN": "true or false"}


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value for an input. `place` names the node by its id, or by its title if no other has the same, then the
    input."""

    place: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "Assignment":
        """Read NODE.INPUT=VALUE. Raises HeadlessError."""
        place, equals, value = text.partition("=")
        if not equals or not any(_splits(place)):
            raise HeadlessError(f'{shown(text)} sets nothing; write NODE.INPUT=VALUE, as in 6.text="a cat"')
        return cls(place, value)


def assigned(
    graph: Mapping[str, Any], assignments: Iterable[Assignment], specs: Mapping[str, NodeSpec]
) -> dict[str, Any]:
    """The graph in API format with the values set. Raises HeadlessError where there is nothing to set."""
    result = dict(graph)
    for one in assignments:
        node_id, name = _place(result, one.place)
        node = result[node_id]
        spec = specs.get(node["class_type"])
        if spec is None:
            raise HeadlessError(
                f"{_name(node_id, node)} is of a type that is not installed, so that its inputs are not known."
            )
        value = _value(one, _input(name, node_id, node, spec))
        result[node_id] = {**node, "inputs": {**node.get("inputs", {}), name: value}}
    return result


def _splits(place: str) -> Iterator[tuple[str, str]]:
    """What may be meant by node.input: titles have dots, and so have the names of some inputs."""
    for position in range(len(place) - 1, -1, -1):
        if place[position] == "." and place[:position] and place[position + 1 :]:
            yield place[:position], place[position + 1 :]


def _place(graph: Mapping[str, Any], place: str) -> tuple[str, str]:
    """The id of the node that is meant, and the name of the input."""
    nodes = {node_id: node for node_id, node in graph.items() if _is_node(node)}
    for name, input_name in _splits(place):
        titled = [node_id for node_id, node in nodes.items() if _title(node) == name]
        if name in nodes:
            return name, input_name
        if len(titled) > 1:
            raise HeadlessError(
                f"The nodes {_listed(titled)} have the title {shown(name)}; name the one you mean by its id."
            )
        if titled:
            return titled[0], input_name
    named = " or ".join(shown(name) for name, _ in _splits(place))
    existing = [_name(node_id, node) for node_id, node in nodes.items()]
    raise HeadlessError(f"No node has the id or the title {named}. There are {_listed(existing)}.")


def _is_node(node: Any) -> bool:
    return (
        isinstance(node, Mapping)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs", {}), Mapping)
    )


def _input(name: str, node_id: str, node: Mapping[str, Any], spec: NodeSpec) -> InputSpec:
    inputs = list(given(spec.inputs, node.get("inputs", {})))
    found = next((one for one in inputs if one.name == name), None)
    settable = [one.name for one in inputs if _takes_values(one)]
    if found is None or not _takes_values(found):
        reason = "has no input" if found is None else f"takes only a link ({found.type}) for its input"
        there = f"Values can be given for {_listed(settable)}." if settable else "None of its inputs takes a value."
        raise HeadlessError(f"{_name(node_id, node)} {reason} {shown(name)}. {there}")
    return found


def _takes_values(spec: InputSpec) -> bool:
    return has_widget(spec) or ANY in spec.type.split(",")


def _value(assignment: Assignment, spec: InputSpec) -> Any:
    """The text as the input's type wants it; limits and choices are checked with all else before the run."""
    text = assignment.text
    if isinstance(spec.widget, Choice):
        return next((option for option in spec.widget.options if text in (str(option), json.dumps(option))), text)
    if takes_several(spec):
        return {LITERAL_LIST: _words(assignment)}
    convert = CONVERSIONS.get(spec.type, str)
    try:
        return convert(text)
    except (TypeError, ValueError, OverflowError):
        wanted = WANTED.get(spec.type, f"a value of type {spec.type}")
        raise HeadlessError(f"{assignment.place} wants {wanted}, not {shown(text)}.") from None


def _words(assignment: Assignment) -> list[Any]:
    try:
        words = json.loads(assignment.text)
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, list):
        raise HeadlessError(
            f'{assignment.place} wants a list of words, as in ["one", "two"], not {shown(assignment.text)}.'
        )
    return words


def _title(node: Mapping[str, Any]) -> str | None:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if isinstance(title, str) and title else None


def _name(node_id: str, node: Mapping[str, Any]) -> str:
    return f"{node_id} ({_title(node) or node['class_type']})"


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f", and {more} more" if more > 0 else "")
