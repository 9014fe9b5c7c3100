"""Choosing between values, and turning them into one another."""

import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NamedTuple

from nodes.primitives import ANY
from nodes.spec import Grows, Help, Socket, node

LAZY_ANY = Annotated[Any, Socket("*"), Help(lazy=True)]
Values = Annotated[Sequence[ANY], Grows("value")]


def chosen(switch: bool, on_false: Any, on_true: Any) -> Iterable[str]:
    """The one input that the switch chooses."""
    return ["on_true" if switch else "on_false"]


@node(
    "ComfySwitchNode", name="If/Else Switch", category="utilities/logic", outputs=("output",), needed=chosen,
    experimental=True,
)  # fmt: skip
def switch_node(switch: bool, on_false: LAZY_ANY, on_true: LAZY_ANY) -> ANY:
    """Hands on one of two values. What leads to the other is not evaluated."""
    return on_true if switch else on_false


@node("ComfyNotNode", name="Not", category="utilities/logic")
def not_node(value: ANY) -> bool:
    """True for false, zero, and what is empty; false for all else."""
    return not value


@node("ComfyAndNode", name="And", category="utilities/logic")
def and_node(values: Values) -> bool:
    """True if no value is false, zero or empty."""
    return all(values)


@node("ComfyOrNode", name="Or", category="utilities/logic")
def or_node(values: Values) -> bool:
    """True if any value is other than false, zero and empty."""
    return any(values)


@node("CreateList", name="Create List", category="utilities", outputs=("list",), takes_lists=True)
def create_list(inputs: Annotated[Sequence[Sequence[ANY]], Grows("input")]) -> Sequence[ANY]:
    """Puts values, and the items of lists, into one list. What reads it runs once for each."""
    return [value for values in inputs for value in values]


class Numbers(NamedTuple):
    """A number in both forms."""

    real: float
    whole: int


@node("ComfyNumberConvert", name="Convert Number", category="utilities")
def number_convert(value: Annotated[int | float | str | bool, Socket("INT,FLOAT,STRING,BOOLEAN")]) -> Numbers:
    """Reads a number from a text, a switch or a number; the whole one is cut off at its point."""
    if not isinstance(value, str):
        return Numbers(float(value), int(value))
    text = value.strip()
    try:
        real = float(text)
    except ValueError:
        raise ValueError(f"{value!r} is not a number. Write one, such as 3 or 0.5.") from None
    if not math.isfinite(real):
        raise ValueError(f"{value!r} is not a finite number.")
    return Numbers(real, int(text) if text.removeprefix("-").isdecimal() else int(real))
