"""Reads and checks what requests carry: JSON bodies, and single values in them and in queries."""

import asyncio
from typing import Any

from aiohttp import web

from web.server import strict_json
from web.server.keys import SETTINGS
from web.server.replies import RequestError

LONGEST_ID = 128
LARGEST_COUNT = 1 << 53
SLOWEST = 16 * 1024
"""Bytes that give the sender of a long body another second."""

LARGE = 64 * 1024
"""Bytes of a body up to which it is read at once."""


async def body(request: web.Request) -> bytes:
    """The whole body. Raises RequestError if it does not come in time; its size is limited by the application."""
    try:
        async with asyncio.timeout(request.app[SETTINGS].read_seconds):
            return await request.read()
    except TimeoutError:
        raise RequestError("The body of the request did not arrive in time.", 408) from None


async def json_value(request: web.Request) -> Any:
    """The body as JSON of any kind."""
    data = await body(request)
    try:
        # A large body takes longer than other clients should wait.
        return await asyncio.to_thread(strict_json.parse, data) if len(data) > LARGE else strict_json.parse(data)
    except strict_json.JsonError as error:
        raise RequestError(str(error)) from error


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object."""
    value = await json_value(request)
    if not isinstance(value, dict):
        raise RequestError(f"The body must be a JSON object, not {_kind(value)}.")
    return value


async def optional_json_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object; an empty body counts as an empty object."""
    return await json_object(request) if await body(request) else {}


def text(fields: dict[str, Any], name: str, longest: int = LONGEST_ID) -> str | None:
    """A text of limited length, None if it is not there."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise RequestError(f'"{name}" must be a text, not {_kind(value)}.')
    if len(value) > longest:
        raise RequestError(f'"{name}" is longer than {longest} characters.')
    return value


def flag(fields: dict[str, Any], name: str) -> bool:
    """true or false, false if it is not there."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise RequestError(f'"{name}" must be true or false, not {_kind(value)}.')
    return bool(value)


def number(fields: dict[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(f'"{name}" must be a number, not {_kind(value)}.')
    return float(value)


def texts(fields: dict[str, Any], name: str) -> list[str] | None:
    """A list of texts, None if it is not there."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RequestError(f'"{name}" must be a list of texts.')
    return value


def mapping(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """An object, empty if it is not there. An explicit null is no object."""
    value = fields.get(name, {})
    if not isinstance(value, dict):
        raise RequestError(f'"{name}" must be an object, not {_kind(value)}.')
    return value


def whole_number(request: web.Request, name: str) -> int | None:
    """A whole number of the query, None if it is not there; what is beyond any count is as large as one may be."""
    value = request.query.get(name)
    if value is None:
        return None
    try:
        return max(-LARGEST_COUNT, min(int(value[:20]), LARGEST_COUNT))
    except ValueError:
        raise RequestError(f'"{name}" must be a whole number, not {value[:40]!r}.') from None


def is_true(value: str | None) -> bool:
    """How ComfyUI's clients write yes in queries and forms."""
    return value is not None and value.lower() in ("true", "1", "yes")


def _kind(value: Any) -> str:
    kinds = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "null")
