"""Long JSON answers, read and sent a page at a time: nobody waits for them but who asked."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from aiohttp import web

from web.server.keys import SETTINGS

T = TypeVar("T")
PAGE = 8
"""Items that are read at once."""

LARGE = 256 * 1024
"""Bytes up to which an answer is sent in one piece."""


async def items(
    ids: Sequence[str], read: Callable[[Sequence[str]], Awaitable[Sequence[T]]], write: Callable[[T], str]
) -> AsyncGenerator[str]:
    """What is read for the ids, written and separated by commas."""
    comma = ""
    for start in range(0, len(ids), PAGE):
        page = await read(ids[start : start + PAGE])
        if page:
            yield comma + ",".join(map(write, page))
            comma = ","


async def streamed(request: web.Request, pieces: AsyncGenerator[str]) -> web.StreamResponse:
    """Answer with the JSON text that the pieces make up. A client that does not read is not waited for."""
    body = bytearray()
    async for piece in pieces:
        body += piece.encode()
        if len(body) > LARGE:
            break
    else:
        return web.Response(body=bytes(body), content_type="application/json", charset="utf-8")
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    await response.prepare(request)
    await _send(request, response, bytes(body))
    async for piece in pieces:
        await _send(request, response, piece.encode())
    await response.write_eof()
    return response


async def _send(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    try:
        async with asyncio.timeout(request.app[SETTINGS].read_seconds):
            await response.write(data)
    except TimeoutError:
        raise ConnectionResetError("The client does not read.") from None
