"""Turns the text of a prompt into weighted spans: "a (red:1.3) cat" → "a " × 1, "red" × 1.3, " cat" × 1."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

EMPHASIS = 1.1
"""What a pair of parentheses without a number multiplies the weight by."""

MAX_NESTING = 100

_ATOMS = re.compile(r"\\[()]|.", re.DOTALL)
_BEFORE_EMBEDDING = re.compile(r"(?:^|\s)(?=embedding:[^\s<[])")
_EMBEDDING = re.compile(r"embedding:([^\s<[]+)(.*)", re.DOTALL)


class PromptError(ValueError):
    """The text cannot be read as a prompt."""


@dataclass(frozen=True)
class Span:
    """A stretch of text with one weight."""

    text: str
    weight: float


def weighted_spans(prompt: str) -> list[Span]:
    r"""Reads the weights off a prompt as ComfyUI does, quirks included.

    `(text)` multiplies the weight by 1.1; `(text:w)` sets it to w whatever surrounds it; `\(` and `\)` are plain
    parentheses. The number follows the last colon of the group, so that of `(a (b:2) c:0.5)` is 0.5, and the inner
    group then sets its own. Brackets and braces mean nothing. A parenthesis never closed is text, and one never opened
    turns the groups after it into text until as many have been opened. "inf" and "nan" are words, not weights.
    Raises PromptError.
    """
    return list(_spans(_ATOMS.findall(prompt), 1.0, 0))


@dataclass(frozen=True)
class Piece:
    """A stretch of text, behind the name of an embedding if there is one."""

    embedding: str | None
    text: str


def pieces_of(text: str) -> list[Piece]:
    """Splits the text of a span where it says `embedding:name` at its start or behind white space.

    The name goes up to the next white space, `<` or `[`.
    """
    found: list[Piece] = []
    for piece in _BEFORE_EMBEDDING.split(text):
        match = _EMBEDDING.fullmatch(piece)
        if match or piece:
            found.append(Piece(match[1], match[2]) if match else Piece(None, piece))
    return found


def embeddings_named(prompt: str) -> set[str]:
    """Returns the names of embeddings that a prompt asks for; a comma behind a name may be part of it or not."""
    pieces = (piece for span in weighted_spans(prompt) for piece in pieces_of(span.text))
    names = {piece.embedding for piece in pieces if piece.embedding is not None}
    return names | {name.rstrip(",") for name in names}


def _spans(atoms: Sequence[str], weight: float, depth: int) -> Iterator[Span]:
    """An atom is one character or one escaped parenthesis."""
    if depth > MAX_NESTING:
        raise PromptError(f"the prompt nests parentheses more than {MAX_NESTING} deep")
    for piece in _pieces(atoms):
        if piece[0] == "(" and piece[-1] == ")":
            inner, inner_weight = _unwrapped(piece[1:-1], weight)
            yield from _spans(inner, inner_weight, depth + 1)
        else:
            yield Span("".join(atom[-1] for atom in piece), weight)


def _pieces(atoms: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cuts at the outermost parentheses. The level may fall below zero: then nothing is cut until it is back."""
    level, start = 0, 0
    for position, atom in enumerate(atoms):
        if atom == "(":
            if level == 0 and position > start:
                yield atoms[start:position]
                start = position
            level += 1
        elif atom == ")":
            level -= 1
            if level == 0:
                yield atoms[start : position + 1]
                start = position + 1
    if start < len(atoms):
        yield atoms[start:]


def _unwrapped(inner: Sequence[str], weight: float) -> tuple[Sequence[str], float]:
    """Returns what stands in a group without its number, and its weight."""
    colon = max((position for position, atom in enumerate(inner) if atom == ":"), default=0)
    stated = _number("".join(inner[colon + 1 :])) if colon > 0 else None
    return (inner, weight * EMPHASIS) if stated is None else (inner[:colon], stated)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
