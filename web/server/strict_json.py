"""JSON as the standard has it: what comes in is checked, what goes out any parser can read."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

DEEPEST = 64
LARGEST, SMALLEST = 2**64 - 1, -(2**63)
_BROKEN = re.compile("[\x00\ud800-\udfff]")


class JsonError(ValueError):
    """A text that is not acceptable JSON; the message says what is wrong and where."""


def parse(body: bytes) -> Any:
    """The value of a JSON text. Raises JsonError.

    Refused beside bad syntax: names that come twice, NaN and infinities, numbers outside 64 bits, nesting below
    64 levels, NUL characters and halves of surrogate pairs: nothing behind this line needs to fear them.
    """
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise JsonError("The body is not UTF-8.") from None
    except RecursionError:
        raise JsonError(f"The body is nested deeper than {DEEPEST} levels.") from None
    except json.JSONDecodeError as error:
        raise JsonError(f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except JsonError:
        raise
    except ValueError:
        raise JsonError("The body holds a number with too many digits.") from None
    _check(value)
    return value


def dumps(value: Any) -> str:
    """A JSON text of `value`; numbers that JSON cannot write become null."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise JsonError(f"The body is not valid: an object holds {_shown(twice)} twice.")
    return found


def _refuse_constant(name: str) -> None:
    raise JsonError(f"The body is not JSON: it holds {name}.")


def _check(root: Any) -> None:
    """Look at every value, without recursion: (value, how deep it lies)."""
    waiting = [(root, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict | list):
            if depth > DEEPEST:
                raise JsonError(f"The body is nested deeper than {DEEPEST} levels.")
            waiting.extend((child, depth + 1) for child in value)
            if isinstance(value, dict):
                waiting.extend((child, depth + 1) for child in value.values())
        elif isinstance(value, str):
            _check_text(value)
        elif isinstance(value, int | float):
            _check_number(value)


def _check_text(text: str) -> None:
    if _BROKEN.search(text):
        raise JsonError(f"The body holds a text with a NUL or half a surrogate pair: {_shown(text)}.")


def _check_number(number: float) -> None:
    if isinstance(number, float) and not math.isfinite(number):
        raise JsonError("The body holds a number that is too large.")
    if not SMALLEST <= number <= LARGEST and isinstance(number, int):
        raise JsonError(f"The body holds the integer {number}, which does not fit into 64 bits.")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _finite(child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(child) for child in value]
    return value
