"""The engine with worker processes of its own, each started again whenever it ends."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from execution.devices import as_seen_by
from execution.dispatcher import Dispatcher
from execution.engine import Job, Problem, WorkerStatus
from execution.engines.child import Child
from execution.engines.left_out import LeftOut, LoadingWatch
from execution.engines.questions import LONGEST_CHECK, Questions
from execution.engines.spare import Spare
from execution.events import Outcome
from execution.json_text import JsonText
from execution.messages import (
    AskChanges,
    AskChecks,
    AskStats,
    Begin,
    BootFailed,
    Changes,
    Checks,
    Command,
    Events,
    Free,
    Interrupt,
    Loading,
    Ready,
    Report,
    Stats,
    WorkerSetup,
)
from execution.settings import EngineSettings
from execution.workers import WorkerListener

LOG = logging.getLogger(__name__)

FAILURES_UNTIL_FAILED = 3
LONGEST_PAUSE = 30.0


def process_engine(settings: EngineSettings, *setups: WorkerSetup, spare_after: float | None = None) -> Dispatcher:
    """An engine whose nodes run in supervised processes, one for each setup.

    After so many seconds without work it keeps another in reserve for all of them (None: never).
    """
    spare = Spare(partial(Child, setups[0].host, setups[0].threads), spare_after)
    left_out = LeftOut(settings.pack_timeout)
    return Dispatcher(settings, [ProcessWorker(setup, spare, left_out) for setup in setups])


class ProcessWorker:
    """Keeps one worker process alive.

    A worker that had been ready is replaced at once when it ends, but after a pause that doubles each time if there was
    no job since the last end. One that ends before is tried again after such a pause too, and counts as failed from the
    third time on, unless it was a pack's fault: then it starts again without that pack.
    """

    def __init__(self, setup: WorkerSetup, spare: Spare, left_out: LeftOut, first_pause: float = 0.5) -> None:
        self._setup = setup
        self._spare = spare
        self._left_out = left_out
        self._loading = LoadingWatch(left_out, self.replace)
        self._first_pause = first_pause
        self._child: Child | None = None
        self._listener: WorkerListener | None = None
        self._failures = 0
        self._ends_without_jobs = 0
        self._reason = ""
        self._is_ready = False
        self._is_stopping = False
        self._retry: asyncio.TimerHandle | None = None
        self._questions = Questions(self._tell)
        self._last_stats: Mapping[str, Any] = {}

    @property
    def process_id(self) -> int | None:
        """The worker's process, None while there is none."""
        return self._child.process_id if self._child is not None else None

    def start(self, listener: WorkerListener) -> None:
        self._listener = listener
        self._spawn()

    async def stop(self) -> None:
        self._is_stopping = True
        if self._retry is not None:
            self._retry.cancel()
        await self._spare.close()
        if self._child is not None:
            await self._child.end()

    def run(self, job: Job, secrets: Mapping[str, Any]) -> None:
        self._spare.busy(self)
        self._ends_without_jobs = 0
        self._tell(Begin(job.id, job.client_id, job.graph, job.targets, job.extra_data, secrets))

    def interrupt(self, job_id: str) -> None:
        self._tell(Interrupt(job_id))

    def replace(self, because: str) -> None:
        if self._child is not None:
            self._child.kill(because)

    def free(self, unload_models: bool, free_memory: bool) -> None:
        self._tell(Free(unload_models, free_memory))

    async def stats(self) -> Mapping[str, Any]:
        if not self._is_ready:
            return as_seen_by(self._setup.device, self._last_stats)
        self._last_stats = await self._questions.ask(AskStats) or self._last_stats
        return as_seen_by(self._setup.device, self._last_stats)

    async def refresh(self) -> None:
        if self._is_ready:
            await self._questions.ask(AskChanges)

    async def checks(self, graph: JsonText, nodes: tuple[str, ...]) -> Mapping[str, Sequence[Problem]]:
        if not self._is_ready:
            return {}
        return await self._questions.ask(partial(AskChecks, graph=graph, nodes=nodes), LONGEST_CHECK) or {}

    def _tell(self, command: Command) -> None:
        if self._child is not None:
            self._child.send(command)

    def _spawn(self) -> None:
        self._is_ready = False
        self._reason = ""
        self._spare.busy(self)
        self._child = self._spare.take() or Child(self._setup.host, self._setup.threads, self._ended)
        setup = replace(self._setup, left_out=dict(self._left_out.reasons))
        self._child.employ(setup, self._receive, self._ended)

    def _receive(self, child: Child, report: Report) -> None:
        listener = self._listener
        if listener is None or child is not self._child:
            return
        match report:
            case Loading(pack):
                self._loading.begins(pack)
            case Ready(catalog):
                self._is_ready = True
                self._failures = 0
                self._spare.idle(self)
                listener.worker_ready(catalog)
            case BootFailed(reason):
                self._reason = reason
            case Events(events):
                if any(isinstance(event, Outcome) for event in events):
                    self._spare.idle(self)
                listener.worker_events(events)
            case Stats(number, devices):
                self._questions.answer(number, devices)
            case Changes(number, specs):
                listener.nodes_changed(specs)
                self._questions.answer(number, specs)
            case Checks(number, problems):
                self._questions.answer(number, problems)

    def _ended(self, child: Child, how: str) -> None:
        if child is not self._child:
            return
        self._child = None
        self._questions.forget()
        if self._loading.worker_ended(how):
            self._failures = 0
        if self._listener is None or self._is_stopping:
            return
        if self._is_ready:
            pause = self._pause(self._ends_without_jobs - 1) if self._ends_without_jobs else 0.0
            self._ends_without_jobs += 1
            LOG.warning("The worker ended: %s. Starting another.", how)
            status = WorkerStatus("restarting", f"The worker ended: {how}.")
        else:
            pause = self._pause(self._failures)
            self._failures += 1
            LOG.error("The worker did not start: %s.\n%s", how, self._reason)
            detail = self._reason.strip().rpartition("\n")[2] or how
            has_failed = self._failures >= FAILURES_UNTIL_FAILED
            status = WorkerStatus("failed" if has_failed else "restarting", f"The worker does not start: {detail}")
        self._is_ready = False
        self._listener.worker_changed(status)
        self._listener.worker_lost(how)
        self._retry = asyncio.get_running_loop().call_later(pause, self._spawn)

    def _pause(self, times: int) -> float:
        return min(self._first_pause * 2**times, LONGEST_PAUSE)
