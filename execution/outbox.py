"""Gathers a worker's events into few messages, and thins out what comes faster than anybody looks."""

import threading
import time
from collections.abc import Callable

from execution.events import Event, NodeFinished, NodePreview, NodeProgress

PROGRESS_INTERVAL = 0.05
PREVIEW_INTERVAL = 0.1


class Outbox:
    """Passes events on in their order.

    Of a node's progress at most one in 50 ms goes out, and always the last; of its previews at most ten a second.
    What is held back goes with the next event that is sent, so nothing here needs a thread of its own.
    """

    def __init__(self, send: Callable[[tuple[Event, ...]], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._clock = clock
        self._lock = threading.Lock()
        self._held: list[Event] = []
        self._progress_sent = self._preview_sent = -1.0

    def emit(self, event: Event) -> None:
        """Take an event, from whichever thread."""
        with self._lock:
            self._replace_held(event)
            self._held.append(event)
            if self._must_go(event):
                events, self._held = tuple(self._held), []
                self._send(events)

    def _replace_held(self, event: Event) -> None:
        """Drop what a newer event of the same node and kind has made old."""
        if isinstance(event, NodeProgress | NodePreview):
            place = type(event), event.node_id
            self._held = [one for one in self._held if (type(one), getattr(one, "node_id", None)) != place]

    def _must_go(self, event: Event) -> bool:
        now = self._clock()
        if isinstance(event, NodeProgress):
            if event.value < event.maximum and now - self._progress_sent < PROGRESS_INTERVAL:
                return False
            self._progress_sent = now
        elif isinstance(event, NodePreview):
            if now - self._preview_sent < PREVIEW_INTERVAL:
                return False
            self._preview_sent = now
        elif isinstance(event, NodeFinished):
            # What comes next follows at once and takes this with it; only what is newly shown is told without delay.
            return event.ui is not None and not event.cached
        return True
