"""A worker in reserve: most of a worker's start is over before one is needed."""

import asyncio
import logging
from collections.abc import Callable

from execution.engines.child import Child, OnEnd

LOG = logging.getLogger(__name__)

QUIET = 2.0
"""Seconds without work after which a server starts a spare. A process that makes itself less urgent may not take that
back, so it is started when nobody minds."""

Launch = Callable[[OnEnd], Child]


class Spare:
    """Keeps one process that has imported what nodes need, for whichever worker has to be replaced next.

    It has loaded no packs and touched no device. It is started once all workers have been ready and without a job for
    `quiet` seconds (None: never), and another when it has been taken. Nobody misses one that ends by itself. All
    methods are called on the event loop.
    """

    def __init__(self, launch: Launch, quiet: float | None = QUIET) -> None:
        self._launch = launch
        self._quiet = quiet
        self._busy: set[object] = set()
        self._child: Child | None = None
        self._is_due = True
        self._start: asyncio.TimerHandle | None = None

    @property
    def process_id(self) -> int | None:
        """The spare process, None while there is none."""
        return self._child.process_id if self._child is not None else None

    def busy(self, worker: object) -> None:
        """A worker starts, or has a job."""
        self._busy.add(worker)
        self._cancel()

    def idle(self, worker: object) -> None:
        """A worker has nothing to do."""
        self._busy.discard(worker)
        if self._quiet is not None and self._is_due and not self._busy and self._start is None:
            self._start = asyncio.get_running_loop().call_later(self._quiet, self._begin)

    def take(self) -> Child | None:
        """The process, if there is one; another is started in the next quiet moment."""
        child, self._child = self._child, None
        self._is_due = True
        return child

    async def close(self) -> None:
        """End the process; no other is started."""
        self._quiet = None
        self._cancel()
        if (child := self.take()) is not None:
            await child.end()

    def _cancel(self) -> None:
        if self._start is not None:
            self._start.cancel()
            self._start = None

    def _begin(self) -> None:
        self._start = None
        self._is_due = False
        self._child = self._launch(self._ended)

    def _ended(self, child: Child, how: str) -> None:
        if child is self._child:
            LOG.info("The spare worker ended: %s.", how)
            self._child = None
