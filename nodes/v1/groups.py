"""Inputs that stand for several, as foreign nodes get them: dictionaries in place of names with dots."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nodes.inputs import Dependent, Growing, InputSpec

Leaf = Callable[[Any, str], Any]
"""(value, full name): what stands in a dictionary for one value."""


def plainly(value: Any, name: str) -> Any:
    """The value alone."""
    return value


def with_name(value: Any, name: str) -> tuple[Any, str]:
    """The value, and the name by which the engine knows it."""
    return value, name


def nested(declared: Iterable[InputSpec], values: Mapping[str, Any], leaf: Leaf = plainly) -> dict[str, Any]:
    """The values by the names of the declared inputs.

    A growing group is a dictionary of those members that are given. A choice is a dictionary of the word, under the
    choice's own name, and of all that belongs to it, None where it is not given; one that is not given is left out.
    """
    left = dict(values)
    made = {one.name: _made(one, one.name, left, leaf) for one in declared if _is_group(one, left)}
    return left | made


def _is_group(one: InputSpec, values: Mapping[str, Any]) -> bool:
    return isinstance(one.widget, Growing) or (isinstance(one.widget, Dependent) and one.name in values)


def _made(one: InputSpec, name: str, left: dict[str, Any], leaf: Leaf) -> Any:
    """What stands for one input under its short name; its values are taken out of those that are left."""
    match one.widget:
        case Growing():
            members = {
                short: leaf(left.pop(member.name), member.name)
                for short, member in zip(one.widget.names, one.members, strict=True)
                if member.name in left
            }
            return members or leaf({}, one.name)
        case Dependent():
            word = left.pop(one.name, None)
            behind = one.behind(word[0] if type(word) is list and word else word)
            parts = {part.name.removeprefix(f"{one.name}."): part for part in behind}
            made = {short: _made(part, short, left, leaf) for short, part in parts.items()}
            return {name: leaf(word, one.name)} | made
        case _:
            return leaf(left.pop(one.name, None), one.name)
