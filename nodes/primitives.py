"""Values to share between nodes, and a look at any value."""

import json
from typing import Annotated, Any

from nodes.spec import Number, Shown, Socket, Text, node

ANY = Annotated[Any, Socket("*")]
LARGEST = 2**63 - 1
LONGEST_SHOWN = 100_000
"""Characters of a value that are shown."""

PRIMITIVE = "utilities/primitive"


@node("PrimitiveInt", name="Int", category=PRIMITIVE)
def primitive_int(value: Annotated[int, Number(-LARGEST, LARGEST, control_after_generate="fixed")]) -> int:
    """Gives a whole number to other nodes."""
    return value


@node("PrimitiveFloat", name="Float", category=PRIMITIVE)
def primitive_float(value: Annotated[float, Number(-LARGEST, LARGEST, step=0.1)]) -> float:
    """Gives a number to other nodes."""
    return value


@node("PrimitiveBoolean", name="Boolean", category=PRIMITIVE)
def primitive_boolean(value: bool) -> bool:
    """Gives a switch to other nodes."""
    return value


@node("PrimitiveString", name="Text", category=PRIMITIVE)
def primitive_string(value: str) -> str:
    """Gives a line of text to other nodes."""
    return value


@node("PrimitiveStringMultiline", name="Text (Multiline)", category=PRIMITIVE)
def primitive_string_multiline(value: Annotated[str, Text(multiline=True)]) -> str:
    """Gives a text to other nodes."""
    return value


@node("SeedNode", name="Seed", category="utilities", outputs=("seed",))
def seed_node(seed: Annotated[int, Number(0, LARGEST, control_after_generate="fixed")]) -> int:
    """Gives one seed to several nodes."""
    return seed


@node("PreviewAny", name="Preview as Text", category="utilities", output=True)
def preview_any(source: ANY) -> Annotated[Shown, Socket("STRING")]:
    """Shows any value as text."""
    text = as_text(source)
    return Shown(text, {"text": [text]})


def as_text(value: Any) -> str:
    """A text as it is, what JSON has as JSON, and all else as Python shows it; at most LONGEST_SHOWN characters."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, indent=4, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
