"""Addresses that packs add to the server: served by the worker on a socket of its own, which the server passes on to.

No pack's code runs in the server's process; only the user who runs it can open the socket.
"""

import asyncio
import contextlib
import logging
import tempfile
import threading
from pathlib import Path

from aiohttp import web

LOG = logging.getLogger("weft.custom_nodes")

LONGEST_SOCKET_PATH = 100
"""Bytes; the system takes 108, with its end mark."""

LARGEST_BODY = 1 << 30
"""Bytes of a request; the server has let it through, and the handler need not read it at once."""

SECONDS_TO_START = 10.0


class PackServer:
    """Gathers what packs register while they are loaded, then serves it from a thread with an event loop."""

    def __init__(self, temporary: Path) -> None:
        self.app = web.Application(client_max_size=LARGEST_BODY)
        self.routes = web.RouteTableDef()
        self._temporary = temporary
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: web.AppRunner | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop, which runs from when it is first asked for."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True, name="routes of packs").start()
        return self._loop

    def start(self) -> Path | None:
        """Serves what has been registered; returns the socket, None if there is nothing to serve."""
        for route in self.routes:
            try:
                route.register(self.app.router)
            except (RuntimeError, ValueError) as error:
                LOG.warning("Custom nodes: the address of %r cannot be served: %s", route, error)
        if not len(self.app.router.routes()):
            return None
        socket = _private_folder(self._temporary) / "packs.sock"
        asyncio.run_coroutine_threadsafe(self._serve(socket), self.loop).result(SECONDS_TO_START)
        return socket

    async def _serve(self, socket: Path) -> None:
        self._runner = web.AppRunner(self.app, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(socket)).start()

    def close(self) -> None:
        """Stops serving."""
        if self._loop is None:
            return
        if self._runner is not None:
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(SECONDS_TO_START)
        self._loop.call_soon_threadsafe(self._loop.stop)


def _private_folder(temporary: Path) -> Path:
    """A folder that only this user can enter: in the temporary one, which each start empties, if names fit there."""
    inside = len(str(temporary).encode()) + 32 < LONGEST_SOCKET_PATH
    if inside:
        temporary.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".weft-", dir=temporary if inside else None))
