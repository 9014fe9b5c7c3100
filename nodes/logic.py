"""Choosing between values, and turning them into one another."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from nodes.primitives import ANY
from nodes.spec import Help, Socket, node

LAZY_ANY = Annotated[Any, Socket("*"), Help(lazy=True)]


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
