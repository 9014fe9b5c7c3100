"""The engine in this very process: a thread takes the worker's place. For tests and scripts; a crash takes all."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from execution.dispatcher import Dispatcher
from execution.engine import Job, Problem, WorkerStatus
from execution.engines.questions import LONGEST_CHECK, Questions
from execution.json_text import JsonText
from execution.messages import (
    AskChanges,
    AskChecks,
    AskStats,
    Begin,
    BootFailed,
    Changes,
    Checks,
    Events,
    Free,
    Interrupt,
    Ready,
    Report,
    Stats,
    Stop,
    WorkerSetup,
)
from execution.settings import EngineSettings
from execution.worker import WorkerLoop
from execution.workers import WorkerListener

LONGEST_FAREWELL = 5.0
"""Seconds that the thread has to come to its end; what it does after that, it does for nobody."""


def inline_engine(settings: EngineSettings, setup: WorkerSetup) -> Dispatcher:
    """An engine without a second process."""
    return Dispatcher(settings, [InlineWorker(setup)])


class InlineWorker:
    """A worker's loop in a thread. A node that never returns cannot be ended here."""

    def __init__(self, setup: WorkerSetup) -> None:
        self._loop = WorkerLoop(setup, self._send)
        self._thread = threading.Thread(target=self._loop.serve, name="worker", daemon=True)
        self._questions = Questions(self._loop.take)
        self._listener: WorkerListener | None = None
        self._events: asyncio.AbstractEventLoop | None = None

    def start(self, listener: WorkerListener) -> None:
        self._listener = listener
        self._events = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.take(Stop())
            await asyncio.to_thread(self._thread.join, LONGEST_FAREWELL)

    def run(self, job: Job, secrets: Mapping[str, Any]) -> None:
        self._loop.take(Begin(job.id, job.client_id, job.graph, job.targets, job.extra_data, secrets))

    def interrupt(self, job_id: str) -> None:
        self._loop.take(Interrupt(job_id))

    def replace(self, because: str) -> None:
        """A thread cannot be ended from outside: the job goes on until its node returns."""

    def free(self, unload_models: bool, free_memory: bool) -> None:
        self._loop.take(Free(unload_models, free_memory))

    async def stats(self) -> Mapping[str, Any]:
        return await self._questions.ask(AskStats) or {}

    async def refresh(self) -> None:
        await self._questions.ask(AskChanges)

    async def checks(self, graph: JsonText, nodes: tuple[str, ...]) -> Mapping[str, Sequence[Problem]]:
        return await self._questions.ask(partial(AskChecks, graph=graph, nodes=nodes), LONGEST_CHECK) or {}

    def _send(self, report: Report) -> None:
        """Hand a report of the thread over to the event loop; after the loop has closed nobody wants it."""
        if self._events is not None and not self._events.is_closed():
            self._events.call_soon_threadsafe(self._receive, report)

    def _receive(self, report: Report) -> None:
        if self._listener is None:
            return
        match report:
            case Ready(catalog):
                self._listener.worker_ready(catalog)
            case BootFailed(reason):
                self._listener.worker_changed(WorkerStatus("failed", reason))
            case Events(events):
                self._listener.worker_events(events)
            case Stats(number, devices):
                self._questions.answer(number, devices)
            case Changes(number, specs):
                self._listener.nodes_changed(specs)
                self._questions.answer(number, specs)
            case Checks(number, problems):
                self._questions.answer(number, problems)
