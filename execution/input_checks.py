"""Whether one input of one node can be used, and what its value becomes: a conversion or a problem."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from execution.engine import Problem
from execution.files import Files
from execution.graph import BadLink, Graph, Link, Node
from nodes.inputs import DEPENDENT, Dependent, Growing, unfolded
from nodes.paths import UnsafeNameError, name_segments
from nodes.spec import REQUIRED, Choice, FileChoice, FilePrefix, InputSpec, NodeSpec, Number

ANY = "*"
VALUES = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", DEPENDENT, ANY})
"""Types whose values can be written into a graph; all others come from another node."""

LONGEST_SHOWN_LIST = 20
LONGEST_SHOWN_VALUE = 200

ABSENT = object()
"""Stands for an optional input that is not given."""


class InputProblem(Exception):
    """Carries the problem of an input to where all problems are collected."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an input is checked against: the other nodes, their types, and the files there are (asked once each)."""

    graph: Graph
    specs: Mapping[str, NodeSpec]
    files: Files
    listed: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    wired: dict[str, bool] = field(default_factory=dict[str, bool])
    grouped: dict[str, bool] = field(default_factory=dict[str, bool])

    def choices(self, folder: str) -> Sequence[str]:
        if folder not in self.listed:
            self.listed[folder] = self.files.choices(folder)
        return self.listed[folder]

    def has_groups(self, spec: NodeSpec) -> bool:
        """Whether some inputs of these nodes stand for others."""
        if spec.id not in self.grouped:
            self.grouped[spec.id] = any(isinstance(one.widget, Growing | Dependent) for one in spec.inputs)
        return self.grouped[spec.id]

    def gives(self, type: str) -> bool:
        """Whether an output of some node is of the type, or of one of the alternatives that it joins."""
        if type not in self.wired:
            among = frozenset(type.split(","))
            outputs = (output for spec in self.specs.values() for output in spec.outputs)
            self.wired[type] = any(output.type in among for output in outputs)
        return self.wired[type]


def checked(node: Node, spec: InputSpec, around: Surroundings) -> Any:
    """The value or link that the node will get, or ABSENT. Raises InputProblem.

    What the node itself checks is only converted here.
    """
    own = around.specs[node.type].validated
    if spec.name not in node.inputs:
        return _missing(spec)
    value = node.inputs[spec.name]
    if isinstance(value, BadLink):
        raise _problem(
            "bad_linked_input", "Bad linked input, must be a length-2 list of [node_id, slot_index]", spec.name, spec,
            received=value.received,
        )  # fmt: skip
    if isinstance(value, Link) and isinstance(spec.widget, Dependent):
        raise _problem(
            "bad_linked_input", "This choice cannot be linked",
            f"{spec.name}: it decides which inputs there are, so choose one of {list(spec.widget.options)}", spec,
            received=[value.source, value.output],
        )  # fmt: skip
    if isinstance(value, Link):
        return _checked_link(value, replace(spec, type=ANY) if "input_types" in own else spec, around)
    if not _may_be_written(spec, around):
        raise _problem(
            "invalid_input_type", f"Failed to convert an input value to a {spec.type} value",
            f"{spec.name}, {shown(value)}, only a link from another node can give this", spec, received=value,
        )  # fmt: skip
    return _checked_value(value, replace(spec, widget=None) if spec.name in own else spec, around)


def _may_be_written(spec: InputSpec, around: Surroundings) -> bool:
    """Whether a value may stand in the graph itself: not where the type is one that other nodes give."""
    is_value = not VALUES.isdisjoint(spec.type.split(","))
    return is_value or spec.default not in (REQUIRED, None) or not around.gives(spec.type)


def strays(node: Node, spec: NodeSpec) -> Iterator[Problem]:
    """What a node is given for its growing groups beyond their members."""
    for group in unfolded(spec.inputs, node.inputs):
        if isinstance(group.widget, Growing):
            yield from _strays(node, group, group.widget.names)


def _strays(node: Node, group: InputSpec, names: Sequence[str]) -> Iterator[Problem]:
    members = {f"{group.name}.{name}" for name in names}
    for name, value in node.inputs.items():
        is_stray = name.startswith(f"{group.name}.") and name not in members
        if is_stray or (name == group.name and isinstance(value, Link)):
            yield Problem(
                "custom_validation_failed",
                "Custom validation failed for node",
                f"{name} - there is no such input: {group.name} stands for {group.name}.{names[0]} to "
                f"{group.name}.{names[-1]}",
                {"input_name": name},
            )


def compatible(received: str, expected: str) -> bool:
    """Whether an output of one type may feed an input of another; a comma joins alternatives, * is anything."""
    if received == expected:
        return True
    alternatives = {part.strip() for part in received.split(",")}, {part.strip() for part in expected.split(",")}
    return ANY in alternatives[0] or ANY in alternatives[1] or not alternatives[0].isdisjoint(alternatives[1])


def shown(value: Any) -> str:
    """The value as a short text for people."""
    return shortened(repr(value))


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN_VALUE else f"{text[:LONGEST_SHOWN_VALUE]}…"


def told(value: Any) -> Any:
    """The value for programs, as it was received; one that is long as people are shown it."""
    text = repr(value)
    return value if len(text) <= LONGEST_SHOWN_VALUE else shortened(text)


def _missing(spec: InputSpec) -> Any:
    if spec.optional:
        return ABSENT
    if spec.default == REQUIRED:
        raise InputProblem(
            Problem("required_input_missing", "Required input is missing", spec.name, {"input_name": spec.name})
        )
    return spec.default


def _checked_link(link: Link, spec: InputSpec, around: Surroundings) -> Link:
    source = around.graph.get(link.source)
    if source is None:
        raise _problem(
            "bad_linked_input", "Linked node does not exist",
            f"{spec.name}: there is no node {shown(link.source)} in the graph", spec,
            received=[link.source, link.output],
        )  # fmt: skip
    source_spec = around.specs.get(source.type)
    if source_spec is None:
        return link
    output = source_spec.output(link.output)
    if output is None:
        raise _problem(
            "bad_linked_input", "Linked output does not exist",
            f"{spec.name}: node {link.source} ({source.title}) has {len(source_spec.outputs)} outputs, none is number "
            f"{link.output}", spec, received=[link.source, link.output],
        )  # fmt: skip
    received = output.type
    if not compatible(received, spec.type):
        raise InputProblem(
            Problem(
                "return_type_mismatch",
                "Return type mismatch between linked nodes",
                f"{spec.name}, received_type({received}) mismatch input_type({spec.type})",
                {
                    "input_name": spec.name,
                    "input_config": config(spec),
                    "received_type": received,
                    "linked_node": [link.source, link.output],
                },
            )
        )
    return link


def _checked_value(value: Any, spec: InputSpec, around: Surroundings) -> Any:
    if isinstance(spec.widget, Dependent):
        return _choice(value, spec, tuple(spec.widget.options))
    if isinstance(spec.widget, Choice):
        return _choice(value, spec, spec.widget.options)
    if isinstance(spec.widget, FileChoice):
        return _file(value, spec, spec.widget, around)
    convert = CONVERSIONS.get(spec.type)
    if convert is None:
        if isinstance(spec.widget, Number) and isinstance(value, int | float):
            _check_limits(value, spec, spec.widget)
        return value
    try:
        converted = convert(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _problem(
            "invalid_input_type", f"Failed to convert an input value to a {spec.type} value",
            f"{spec.name}, {shown(value)}, {shortened(str(error))}", spec, received=value,
            exception_message=shortened(str(error)),
        ) from error  # fmt: skip
    if isinstance(spec.widget, Number):
        _check_limits(converted, spec, spec.widget)
    if isinstance(spec.widget, FilePrefix):
        _check_prefix(converted, spec)
    return converted


def _check_limits(value: float, spec: InputSpec, limits: Number) -> None:
    if value < limits.min:
        raise _problem(
            "value_smaller_than_min", f"Value {shown(value)} smaller than min of {limits.min}", spec.name, spec,
            received=value,
        )  # fmt: skip
    if value > limits.max:
        raise _problem(
            "value_bigger_than_max", f"Value {shown(value)} bigger than max of {limits.max}", spec.name, spec,
            received=value,
        )  # fmt: skip


def _check_prefix(prefix: str, spec: InputSpec) -> None:
    try:
        name_segments(prefix)
    except UnsafeNameError as error:
        raise InputProblem(
            Problem(
                "custom_validation_failed",
                "Custom validation failed for node",
                f"{spec.name} - {shortened(str(error))}",
                {"input_name": spec.name},
            )
        ) from None


def _choice(value: Any, spec: InputSpec, options: Sequence[Any]) -> Any:
    # A boolean equals 0 or 1, so that membership alone would take True for the option 1.
    if any(option == value and type(option) is type(value) for option in options):
        return value
    is_long = len(options) > LONGEST_SHOWN_LIST
    listed = f"(list of length {len(options)})" if is_long else str(list(options))
    raise InputProblem(
        Problem(
            "value_not_in_list",
            "Value not in list",
            f"{spec.name}: {shown(value)} not in {listed}",
            {
                "input_name": spec.name,
                "input_config": None if is_long else [list(options), {}],
                "received_value": told(value),
            },
        )
    )


def _file(value: Any, spec: InputSpec, widget: FileChoice, around: Surroundings) -> Any:
    choices = around.choices(widget.folder)
    if value in choices:
        return value
    if isinstance(value, str) and value.replace("\\", "/") in choices:
        return value.replace("\\", "/")  # workflows made on Windows
    if not widget.upload:
        return _choice(value, spec, choices)
    if isinstance(value, str) and around.files.has(widget.folder, value):
        return value
    raise InputProblem(
        Problem(
            "custom_validation_failed",
            "Custom validation failed for node",
            f"{spec.name} - Invalid file: {shown(value)} is not in the {widget.folder} folder",
            {"input_name": spec.name},
        )
    )


def _to_int(value: Any) -> int:
    if isinstance(value, int | float | str):
        return int(value)
    raise TypeError("not a number")


def _to_float(value: Any) -> float:
    if not isinstance(value, int | float | str):
        raise TypeError("not a number")
    converted = float(value)
    if not math.isfinite(converted):
        raise ValueError("not a finite number")
    return converted


def _to_text(value: Any) -> str:
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError("not a text")


def _to_boolean(value: Any) -> bool:
    if isinstance(value, int | float):
        return bool(value)
    words = {"true": True, "false": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise TypeError("neither true nor false")


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "INT": _to_int,
    "FLOAT": _to_float,
    "STRING": _to_text,
    "BOOLEAN": _to_boolean,
}


def config(spec: InputSpec) -> list[Any]:
    """The input as problems describe it: [type, {"default", "min", "max"}]."""
    options: dict[str, Any] = {}
    if spec.default != REQUIRED and spec.default is not None:
        options["default"] = spec.default
    if isinstance(spec.widget, Number):
        options |= {"min": spec.widget.min, "max": spec.widget.max, "step": spec.widget.step}
    return [spec.type, options]


def _problem(type: str, message: str, details: str, spec: InputSpec, *, received: Any, **extra: Any) -> InputProblem:
    extra_info = {"input_name": spec.name, "input_config": config(spec), "received_value": told(received), **extra}
    return InputProblem(Problem(type, message, details, extra_info))
