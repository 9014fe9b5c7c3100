"""The clients that listen on a WebSocket. Each has its own bounded queue, so that none can delay another."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web

from execution import events
from web.server import wire
from web.server.following import SECONDS_BETWEEN_NODES, FollowedJob

MOST_WAITING = 10_000  # messages
SECONDS_OF_QUIET = 30.0  # after which a ping is sent

log = logging.getLogger(__name__)


class Outbox:
    """Messages that wait to be sent, in order. One that supersedes another takes its place at the end."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._count = 0
        self._waiting: dict[str, wire.Frame] = {}
        self._filled = asyncio.Event()

    def put(self, message: wire.Frame) -> bool:
        """Add a message; False if too many wait."""
        self._count += 1
        key = message.supersedes or f"#{self._count}"
        self._waiting.pop(key, None)
        if len(self._waiting) >= self._most:
            return False
        self._waiting[key] = message
        self._filled.set()
        return True

    async def get(self) -> wire.Frame:
        """Take the message that has waited longest, as soon as there is one."""
        await self._filled.wait()
        message = self._waiting.pop(next(iter(self._waiting)))
        if not self._waiting:
            self._filled.clear()
        return message


class Socket:
    """One open connection. `wants_metadata` tells that the client understands previews that name their node.

    A client need not read while it waits for something else, so pings only keep proxies from closing a quiet
    connection: no answer is asked for. What counts is that it takes what it is sent within `stall` seconds.
    """

    def __init__(
        self,
        response: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        stall: float,
        quiet: float = SECONDS_OF_QUIET,
    ) -> None:
        self.wants_metadata = False
        self._response = response
        self._transport = transport
        self._stall = stall
        self._quiet = quiet
        self._outbox = Outbox()

    def send(self, message: wire.Frame) -> None:
        """Queue a message. A client that lets too many pile up is dropped."""
        if not self._outbox.put(message):
            self.drop()

    async def pump(self) -> None:
        """Send what is queued until the connection ends; one that accepts nothing for too long is dropped."""
        try:
            while True:
                message = await self._next()
                async with asyncio.timeout(self._stall):
                    await self._write(message)
        except (TimeoutError, ConnectionError):
            self.drop()
        except Exception:
            log.exception("a message could not be sent")
            self.drop()

    async def _next(self) -> wire.Frame | None:
        """The next message, None if there is none for long."""
        try:
            async with asyncio.timeout(self._quiet):
                return await self._outbox.get()
        except TimeoutError:
            return None

    async def _write(self, message: wire.Frame | None) -> None:
        match message:
            case None:
                await self._response.ping()
            case wire.Preview():
                await self._response.send_bytes(wire.preview_frame(message, self.wants_metadata))
            case _:
                await self._response.send_str(wire.text_frame(message))

    def drop(self) -> None:
        """End the connection at once, without waiting for a client that may not be reading."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self, reason: str) -> None:
        """End the connection politely, at the latest when it stalls."""
        try:
            async with asyncio.timeout(self._stall):
                await self._response.close(code=1001, message=reason.encode())
        except (TimeoutError, ConnectionError):
            self.drop()


class Sockets:
    """All connections by client id, and what is known of the jobs that run."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sockets: dict[str, Socket] = {}
        self._running: dict[str, FollowedJob] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._sockets)

    def add(self, client_id: str, socket: Socket) -> Socket | None:
        """Let `socket` speak for the client; returns the one that did before."""
        before = self._sockets.get(client_id)
        self._sockets[client_id] = socket
        return before

    def remove(self, client_id: str, socket: Socket) -> None:
        """Forget a closed connection, unless a newer one has taken its place."""
        if self._sockets.get(client_id) is socket:
            del self._sockets[client_id]

    def resume(self, client_id: str, socket: Socket) -> None:
        """Tell a client that comes back where its running jobs are."""
        for job in self._running.values():
            if job.client_id == client_id:
                for frame in job.resumed():
                    socket.send(frame)

    def tell(self, event: events.Event) -> None:
        """Pass an event of the engine on to whom it concerns."""
        if isinstance(event, events.QueueChanged | events.WorkerChanged | events.NoticesChanged):
            self._send(wire.translate(event, {}))
        elif isinstance(event, events.ClientMessage):
            self._send(wire.translate(event, {}), event.client_id)
        else:
            self._follow(event)

    async def close(self) -> None:
        """End all connections because the server stops."""
        for job_id in list(self._timers):
            self._cancel(job_id)
        sockets = list(self._sockets.values())
        await asyncio.gather(*(socket.close("The server is stopping.") for socket in sockets))

    def _follow(self, event: events.OfJob) -> None:
        job = self._running.get(event.job_id)
        if job is None:
            job = self._running[event.job_id] = FollowedJob(event.job_id, self._clock)
        self._send(job.frames(event), event.client_id)
        if isinstance(event, events.JobEnded):
            del self._running[event.job_id]
            self._cancel(event.job_id)
        else:
            self._look_again(event.job_id, event.client_id)

    def _look_again(self, job_id: str, client_id: str | None) -> None:
        """Have what a job holds back sent soon, even if nothing more happens."""
        if job_id not in self._timers and self._running[job_id].holds_back:
            loop = asyncio.get_running_loop()
            self._timers[job_id] = loop.call_later(SECONDS_BETWEEN_NODES, self._send_due, job_id, client_id)

    def _send_due(self, job_id: str, client_id: str | None) -> None:
        del self._timers[job_id]
        self._send(self._running[job_id].due(), client_id)
        self._look_again(job_id, client_id)

    def _cancel(self, job_id: str) -> None:
        timer = self._timers.pop(job_id, None)
        if timer is not None:
            timer.cancel()

    def _send(self, frames: list[wire.Frame], client_id: str | None = None) -> None:
        own = self._sockets.get(client_id) if client_id is not None else None
        for frame in frames:
            if isinstance(frame, wire.Message) and frame.everyone:
                for socket in list(self._sockets.values()):
                    socket.send(frame)
            elif own is not None:
                own.send(frame)
