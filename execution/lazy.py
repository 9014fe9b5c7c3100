"""Inputs that are evaluated only if their node wants them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from execution.blocking import blocker_in
from execution.kinds import Kind
from execution.lists import calls
from nodes.context import Context

Settle = Callable[[Any], Any]
"""Waits for what a function gives if that is awaitable."""


def wanted(kind: Kind, inputs: Mapping[str, Any], missing: Iterable[str], context: Context, settle: Settle) -> set[str]:
    """The missing lazy inputs that the node asks for now; empty: it has all that it wants.

    A node is asked once for each of its calls, with None for every input that is missing, but not for those that a
    blocker will keep from being made.
    """
    needed = kind.spec.needed
    absent = set(missing)
    if needed is None or not absent:
        return set()
    known = {**inputs, **dict.fromkeys(absent)}
    asked: set[str] = set()
    for call in calls(known, kind.spec.takes_lists):
        if blocker_in(call, kind.spec.takes_lists) is not None:
            continue
        extra = {} if kind.spec.context_parameter is None else {kind.spec.context_parameter: context}
        answer = needed(**call, **extra)
        asked.update(_names(settle(answer) if isinstance(answer, Awaitable) else answer))
    return asked & absent


def _names(answer: Any) -> Iterable[str]:
    return (answer,) if isinstance(answer, str) else answer or ()
