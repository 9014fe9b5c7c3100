"""How much a node is asked to make, judged by its inputs before anything runs."""

from collections.abc import Mapping
from typing import Any

from execution.engine import Problem

MOST_PIXELS = 1 << 28
"""Pixels of all pictures that one node makes at once: 16384 × 16384, or 64 of 2048 × 2048."""

SIDES = ("width", "height")
COUNTS = ("batch_size", "length")


def excess_of(inputs: Mapping[str, Any]) -> Problem | None:
    """The problem of a node that would make more pixels than any device holds, told before its job waits in vain."""
    if not (isinstance(inputs.get("width"), int) and isinstance(inputs.get("height"), int)):
        return None
    named = [name for name in (*SIDES, *COUNTS) if isinstance(inputs.get(name), int)]
    pixels = 1
    for name in named:
        pixels *= max(1, inputs[name])
    if pixels <= MOST_PIXELS:
        return None
    details = f"{' × '.join(f'{name} {inputs[name]}' for name in named)} are {pixels:,} pixels; at most {MOST_PIXELS:,}"
    return Problem("work_too_large", "The pictures are too large together", details, {"input_name": named[-1]})
