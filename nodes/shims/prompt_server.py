"""`server`: messages to clients, addresses of a pack's own, and what runs."""

import asyncio
import logging
from io import BytesIO
from typing import Any

from PIL import Image

from nodes.v1.pack_server import PackServer
from nodes.v1.runtime import NotOfferedError, Runtime

LOG = logging.getLogger("weft.custom_nodes")


ELSEWHERE = {
    "prompt_queue": "the queue is in another process, which answers GET /queue, /history and POST /prompt, /queue",
    "number": "the server numbers what is sent to POST /prompt",
}
"""Where is what the worker does not have."""


class BinaryEventTypes:
    """Kinds of binary messages, by number."""

    PREVIEW_IMAGE = 1
    UNENCODED_PREVIEW_IMAGE = 2
    TEXT = 3
    PREVIEW_IMAGE_WITH_METADATA = 4


class PromptServer:
    """What packs find at PromptServer.instance: `routes` and `app` of the worker, messages to the server's clients, and
    what runs. The server itself is another process, at `address` and `port`."""

    instance: "PromptServer"

    def __init__(self, runtime: Runtime, server: PackServer) -> None:
        self._runtime = runtime
        self._server = server
        self.app = server.app
        self.routes = server.routes
        self.supports: list[str] = ["custom_nodes_from_web"]
        self.address, self.port = runtime.settings.served_at

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop on which packs answer requests."""
        return self._server.loop

    @property
    def last_node_id(self) -> str | None:
        """The node that runs."""
        return self._runtime.context.node_id or None

    @property
    def last_prompt_id(self) -> str | None:
        """The job that runs, or has run last."""
        job = self._runtime.last_job()
        return None if job is None else job.id

    @property
    def client_id(self) -> str | None:
        """The client that has queued this job; None if it has not said who it is."""
        job = self._runtime.last_job()
        return None if job is None else job.client_id

    def send_sync(self, event: Any, data: Any, sid: str | None = None) -> None:
        """Sends a message to one client, or to all."""
        if isinstance(event, str):
            self._runtime.tell(event, data, sid)
        elif event == BinaryEventTypes.UNENCODED_PREVIEW_IMAGE:
            self._runtime.context.send_picture(_png(data[1], data[2]))
        else:
            raise NotOfferedError(f"binary messages of the kind {event}", "show pictures by ProgressBar's preview")

    async def send(self, event: Any, data: Any, sid: str | None = None) -> None:
        """Sends a message to one client, or to all."""
        self.send_sync(event, data, sid)

    async def send_json(self, event: str, data: Any, sid: str | None = None) -> None:
        """Sends a message to one client, or to all."""
        self.send_sync(event, data, sid)

    def send_progress_text(self, text: str, node_id: str, sid: str | None = None) -> None:
        """Shows a text on a node."""
        self._runtime.tell("progress_text", {"node": str(node_id), "text": str(text)}, sid)

    def add_on_prompt_handler(self, handler: Any) -> None:
        """Graphs are accepted in another process, where no pack's code runs."""
        LOG.warning("%s", NotOfferedError("PromptServer.add_on_prompt_handler", "graphs are queued as they are sent"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotOfferedError(f"PromptServer.instance.{name}", ELSEWHERE.get(name, ""))


def _png(picture: Image.Image, longest: int | None) -> bytes:
    """The picture as a PNG, its sides no longer than asked for."""
    if longest is not None:
        picture = picture.copy()
        picture.thumbnail((longest, longest))
    stream = BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
