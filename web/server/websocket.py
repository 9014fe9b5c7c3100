"""The WebSocket on which a client is told what happens to its jobs."""

import asyncio
import contextlib
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from web.server import features, strict_json, wire
from web.server.keys import ENGINE, SETTINGS, SOCKETS
from web.server.replies import RequestError
from web.server.requests import LONGEST_ID
from web.server.sockets import Socket

MOST_SOCKETS = 200
LARGEST_MESSAGE = 64 * 1024  # bytes

routes = web.RouteTableDef()


@routes.get("/ws", allow_head=False)
async def connect(request: web.Request) -> web.WebSocketResponse:
    """Serve one client until it leaves. A second connection with the same id replaces the first."""
    client_id = request.query.get("clientId") or uuid4().hex
    sockets = request.app[SOCKETS]
    if len(client_id) > LONGEST_ID:
        raise RequestError(f'"clientId" is longer than {LONGEST_ID} characters.')
    if len(sockets) >= MOST_SOCKETS:
        raise RequestError(f"{MOST_SOCKETS} clients are connected already.", 503)
    # The framework's bound is the first size that it refuses.
    response = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE + 1, compress=False)
    await response.prepare(request)
    socket = Socket(response, request.transport, request.app[SETTINGS].socket_stall_seconds)
    _greet(request, client_id, socket)
    pump = asyncio.create_task(socket.pump())
    replaced = sockets.add(client_id, socket)
    closing = asyncio.create_task(replaced.close("Another connection took over.")) if replaced else None
    try:
        await _listen(response, socket, request.app)
    finally:
        sockets.remove(client_id, socket)
        for task in (pump, closing):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
    return response


def _greet(request: web.Request, client_id: str, socket: Socket) -> None:
    engine = request.app[ENGINE]
    view = engine.queue()
    socket.send(wire.status(len(view.running) + len(view.pending), client_id))
    socket.send(wire.worker(engine.status()))
    if found := engine.notices():
        socket.send(wire.notices(found))
    request.app[SOCKETS].resume(client_id, socket)


async def _listen(response: web.WebSocketResponse, socket: Socket, app: web.Application) -> None:
    async for message in response:
        if message.type is WSMsgType.TEXT:
            flags = _feature_flags(message.data)
            if flags is not None:
                socket.wants_metadata = flags.get("supports_preview_metadata") is True
                socket.send(wire.Message("feature_flags", features.of(app)))


def _feature_flags(text: str) -> dict[str, Any] | None:
    """What a client says it can do; None for anything else it may send."""
    try:
        message = strict_json.parse(text.encode(errors="replace"))
    except strict_json.JsonError:
        return None
    if not isinstance(message, dict) or message.get("type") != "feature_flags":
        return None
    flags = message.get("data")
    return flags if isinstance(flags, dict) else None
