"""Values given on the command line in place of those in the file: NODE.INPUT=VALUE."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from execution.headless.errors import HeadlessError
from execution.input_checks import CONVERSIONS, shown
from execution.workflow.widgets import has_widget
from nodes.inputs import given
from nodes.spec import Choice, InputSpec, NodeSpec

MOST_LISTED = 30


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value for one input of one node, which is named by its id, or by its title if no other has the same."""

    node: str
    input: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "Assignment":
        """Read NODE.INPUT=VALUE. Raises HeadlessError."""
        place, equals, value = text.partition("=")
        node, _, input = place.rpartition(".")
        if not (equals and node and input):
            raise HeadlessError(f'{text!r} sets nothing; write NODE.INPUT=VALUE, as in 6.text="a cat"')
        return cls(node, input, value)


def assigned(
    graph: Mapping[str, Any], assignments: Iterable[Assignment], specs: Mapping[str, NodeSpec]
) -> dict[str, Any]:
    """The graph in API format with the values set. Raises HeadlessError where there is nothing to set."""
    result = dict(graph)
    for one in assignments:
        node_id = _node_id(result, one.node)
        node = result[node_id]
        spec = specs.get(node["class_type"])
        if spec is None:
            raise HeadlessError(
                f"{_name(node_id, node)} is of a type that is not installed, so that its inputs are not known."
            )
        value = _value(one, _input(one, node_id, node, spec))
        result[node_id] = {**node, "inputs": {**node.get("inputs", {}), one.input: value}}
    return result


def _node_id(graph: Mapping[str, Any], name: str) -> str:
    nodes = {node_id: node for node_id, node in graph.items() if _is_node(node)}
    if name in nodes:
        return name
    titled = [node_id for node_id, node in nodes.items() if _title(node) == name]
    if len(titled) == 1:
        return titled[0]
    if titled:
        raise HeadlessError(f"The nodes {_listed(titled)} have the title {name!r}; name the one you mean by its id.")
    existing = [_name(node_id, node) for node_id, node in nodes.items()]
    raise HeadlessError(f"No node has the id or the title {name!r}. There are {_listed(existing)}.")


def _is_node(node: Any) -> bool:
    return (
        isinstance(node, Mapping)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs", {}), Mapping)
    )


def _input(assignment: Assignment, node_id: str, node: Mapping[str, Any], spec: NodeSpec) -> InputSpec:
    inputs = list(given(spec.inputs, node.get("inputs", {})))
    found = next((one for one in inputs if one.name == assignment.input), None)
    settable = [one.name for one in inputs if has_widget(one)]
    if found is None or not has_widget(found):
        reason = "has no input" if found is None else f"takes only a link ({found.type}) for its input"
        there = f"Values can be given for {_listed(settable)}." if settable else "None of its inputs takes a value."
        raise HeadlessError(f"{_name(node_id, node)} {reason} {assignment.input!r}. {there}")
    return found


def _value(assignment: Assignment, spec: InputSpec) -> Any:
    """The text as the input's type wants it; limits and choices are checked with all else before the run."""
    if isinstance(spec.widget, Choice):
        return next((option for option in spec.widget.options if str(option) == assignment.text), assignment.text)
    convert = CONVERSIONS.get(spec.type, str)
    try:
        value = convert(assignment.text)
    except (TypeError, ValueError, OverflowError) as error:
        raise HeadlessError(
            f"{assignment.node}.{assignment.input} wants a value of type {spec.type}, not {shown(assignment.text)}: "
            f"{error}."
        ) from error
    return value


def _title(node: Mapping[str, Any]) -> str | None:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if isinstance(title, str) and title else None


def _name(node_id: str, node: Mapping[str, Any]) -> str:
    return f"{node_id} ({_title(node) or node['class_type']})"


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f", and {more} more" if more > 0 else "")
