"""The file that a command works on: a workflow or a graph as JSON, or a picture made with one."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from execution.headless import png, webp
from execution.headless.errors import HeadlessError

LARGEST_JSON = 32 << 20
LARGEST_PICTURE = 1 << 30
WORKFLOW, GRAPH = "workflow", "prompt"
"""Keywords under which pictures carry what made them."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the file holds. One of the two: the editor's document, or a graph in API format."""

    workflow: Mapping[str, Any] | None = None
    graph: Mapping[str, Any] | None = None


def read_source(path: Path) -> Source:
    """Read a file, whatever its name. Raises HeadlessError."""
    try:
        with path.open("rb") as file:
            # What comes through a pipe cannot be gone back in.
            return _read(file if file.seekable() else BytesIO(file.read(LARGEST_JSON + 1)))
    except OSError as error:
        raise HeadlessError(f"{path} cannot be read: {error.strerror}.") from error
    except HeadlessError as error:
        raise HeadlessError(f"{path}: {error}") from error


def _read(file: BinaryIO) -> Source:
    start = file.read(webp.HEADER)
    reader = png.read_texts if start.startswith(png.SIGNATURE) else webp.read_texts if webp.is_webp(start) else None
    largest = LARGEST_JSON if reader is None else LARGEST_PICTURE
    if file.seek(0, 2) > largest:
        raise HeadlessError(f"The file is larger than {largest >> 20} MiB.")
    if reader is not None:
        return _of_picture(reader(file, (WORKFLOW, GRAPH)))
    file.seek(0)
    return _of_document(_parsed(file.read(largest), "The file"))


def _of_picture(texts: Mapping[str, str]) -> Source:
    keyword = next((keyword for keyword in (WORKFLOW, GRAPH) if keyword in texts), None)
    if keyword is None:
        raise HeadlessError("The picture carries no workflow. It was not made with one, or saved without metadata.")
    return _of_document(_parsed(texts[keyword].encode(), f'The text "{keyword}" of the picture'))


def _of_document(document: Any) -> Source:
    if isinstance(document, Mapping):
        if isinstance(document.get("nodes"), list):
            return Source(workflow=document)
        if any(isinstance(node, Mapping) and "class_type" in node for node in document.values()):
            return Source(graph=document)
    raise HeadlessError(
        'This is neither a workflow (an object with a list "nodes") nor a graph (objects with "class_type" by node id).'
    )


def _parsed(text: bytes, what: str) -> Any:
    try:
        # Pictures by older programs hold NaN beside their inputs, where nobody reads it; in an input null is refused.
        return json.loads(
            text.decode("utf-8-sig"), object_pairs_hook=_object, parse_float=_finite, parse_constant=lambda name: None
        )
    except UnicodeDecodeError:
        raise HeadlessError(f"{what} is neither JSON nor a PNG or WEBP.") from None
    except json.JSONDecodeError as error:
        raise HeadlessError(f"{what} is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except RecursionError:
        raise HeadlessError(f"{what} is nested too deeply.") from None
    except HeadlessError:
        raise
    except ValueError:
        raise HeadlessError(f"{what} holds a number with too many digits.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise HeadlessError(f"An object of the JSON holds {name[:80]!r} twice.")
        found[name] = value
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise HeadlessError(f"The number {text[:40]} is too large.")
    return value
