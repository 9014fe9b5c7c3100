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
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class JsonError(ValueError):
    """A text that is not acceptable JSON; the message says what is wrong and where."""


def parse(body: bytes) -> Any:
    """The value of a JSON text. Raises JsonError.

    Refused beside bad syntax: names that come twice, NaN and infinities, numbers outside 64 bits, nesting below
    64 levels, NUL characters and halves of surrogate pairs: nothing behind this line needs to fear them.
    """
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_real
        )
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
    _check_depth(value)
    # What is UTF-8 and JSON holds no such character but as an escape.
    if _ESCAPED.search(text):
        _check_texts(value)
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


def _check_depth(root: Any) -> None:
    """Go down level by level, looking at nothing but what has members."""
    level = [root] if isinstance(root, dict | list) else []
    for _ in range(DEEPEST):
        level = [
            member
            for one in level
            for member in (one.values() if type(one) is dict else one)
            if type(member) is dict or type(member) is list
        ]
    if level:
        raise JsonError(f"The body is nested deeper than {DEEPEST} levels.")


def _check_texts(root: Any) -> None:
    """Look at every text, without recursion."""
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and _BROKEN.search(value):
            raise JsonError(f"The body holds a text with a NUL or half a surrogate pair: {_shown(value)}.")
        if isinstance(value, dict):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _integer(text: str) -> int:
    number = int(text)
    if not SMALLEST <= number <= LARGEST:
        raise JsonError(f"The body holds the integer {number}, which does not fit into 64 bits.")
    return number


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonError("The body holds a number that is too large.")
    return number


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
