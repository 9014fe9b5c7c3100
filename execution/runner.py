"""One worker's place in the engine: it takes a job at a time from the queue through its worker into the history."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from itertools import chain, repeat
from typing import Any, Protocol

from execution.engine import Catalog, StoreError, WorkerStatus
from execution.events import Event, JobEnded, JobInterrupted, Notice, Outcome
from execution.executor import now
from execution.queue import Waiting
from execution.recovery import DAMAGED
from execution.running import RunningJob, state_after
from execution.settings import EngineSettings
from execution.store import DamagedJobError, End
from execution.store_thread import StoreThread
from execution.traits import Holdings
from execution.workers import Worker
from nodes.spec import NodeSpec

LOG = logging.getLogger(__name__)

PAUSES_FOR_THE_DISK = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between the attempts to write how a job has ended; the last one is repeated."""


class RunnerListener(Protocol):
    """The engine, as its runners see it."""

    def worker_changed(self) -> None:
        """A worker's status is no longer what it was."""
        ...

    def notices_changed(self) -> None:
        """What is to be told of the disk is no longer what it was."""
        ...

    def runner_idle(self) -> None:
        """A runner has finished its job."""
        ...

    def catalog_told(self, catalog: Catalog) -> None: ...

    def nodes_changed(self, specs: Mapping[str, NodeSpec]) -> None:
        """These nodes declare themselves otherwise than the catalog does."""
        ...

    def given_back(self, job: Waiting, *, after_pause: bool = False) -> None:
        """The job could not be begun, and waits again."""
        ...

    def tell(self, event: Event) -> None: ...

    def tell_queue(self) -> None: ...


class Runner:
    """Has one worker, starts with it and ends with it. All methods are called on the event loop."""

    def __init__(self, worker: Worker, store: StoreThread, settings: EngineSettings, listener: RunnerListener) -> None:
        self.worker = worker
        self.status = WorkerStatus("starting")
        self.running: RunningJob | None = None
        self.holdings = Holdings()
        self.notice: Notice | None = None
        self._store = store
        self._settings = settings
        self._listener = listener
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._told_to_stop = asyncio.Event()
        self._clock = asyncio.get_running_loop().time

    @property
    def is_idle(self) -> bool:
        return self.status.state == "ready" and self.running is None

    def start(self) -> None:
        self.worker.start(self)

    async def stop(self) -> None:
        """End the worker; a job that ran is left to the next start, unless somebody has stopped it."""
        self._is_stopping = True
        self._told_to_stop.set()
        await self.worker.stop()
        running = self.running
        if running is not None and not running.is_ending:
            running.stop_timers()
            if running.is_interrupted:
                self._end(running.lost("the server ended"))
            else:
                await self._requeue(running.waiting)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _requeue(self, job: Waiting) -> None:
        """Take back that a job was begun; what the disk does not take stands there as begun, and runs all the same."""
        try:
            await self._store.do(lambda: self._store.store.requeue(job.id, job.attempt))
        except StoreError as error:
            LOG.error("Job %s counts as begun once more: %s", job.id, error)

    def take(self, job: Waiting) -> None:
        """Begin a job. The runner must be idle."""
        self.running = RunningJob(job, self._clock)
        self._spawn(self._begin(self.running))

    def interrupt(self) -> bool:
        """Stop the job that runs; says whether there was one that had not ended."""
        running = self.running
        if running is None or running.is_ending:
            return False
        self.worker.interrupt(running.id)
        if not running.is_interrupted:
            running.is_interrupted = True
            because = "it was told to stop, and its node did not"
            running.deadline = asyncio.get_running_loop().call_later(
                self._settings.interrupt_grace, self.worker.replace, because
            )
        return True

    def free(self, unload_models: bool, free_memory: bool) -> None:
        self.holdings.clear()
        self.worker.free(unload_models, free_memory)

    def worker_changed(self, status: WorkerStatus) -> None:
        self.status = status
        self._listener.worker_changed()

    def worker_ready(self, catalog: Catalog) -> None:
        self._listener.catalog_told(catalog)
        self.worker_changed(WorkerStatus("ready"))

    def nodes_changed(self, specs: Mapping[str, NodeSpec]) -> None:
        self._listener.nodes_changed(specs)

    def worker_events(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Outcome):
                self._end(event)
            else:
                if self.running is not None:
                    self.running.note(event)
                self._listener.tell(event)

    def worker_lost(self, reason: str) -> None:
        self.holdings.clear()
        running = self.running
        if running is None or running.is_ending or self._is_stopping:
            return
        if (again := running.to_begin_again()) is not None:
            self.running = None
            self._listener.given_back(again)
        else:
            self._end(running.lost(reason))

    async def _begin(self, running: RunningJob) -> None:
        waiting, store = running.waiting, self._store
        try:
            job = await store.do(lambda: store.store.begin(waiting.id, now(), waiting.attempt + 1))
        except StoreError as error:
            LOG.error("Job %s cannot be begun: %s It waits until the disk takes it.", waiting.id, error)
            self._refused(running, error)
            return
        except DamagedJobError as error:
            LOG.error("Job %s cannot be begun: %s", waiting.id, error)
            running.is_damaged = True
            self._end(running.failed("JobDamaged", DAMAGED))
            return
        self._disk_is(None)
        # The worker may have died in the meantime, and the job be back in the queue; or be stopped already.
        if self.running is not running or running.is_ending or self._is_stopping:
            return
        running.job = job
        if running.is_interrupted:
            self._end(JobInterrupted(job.id, job.client_id, now()))
            return
        self.holdings.add(waiting.traits)
        self.worker.run(job, waiting.secrets)
        self._watch(running)

    def _refused(self, running: RunningJob, error: StoreError) -> None:
        """The disk has not taken that the job begins: it waits again, unless it has been stopped meanwhile."""
        self._disk_is(error)
        if self.running is not running or running.is_ending:
            return
        if running.is_interrupted:
            self._end(JobInterrupted(running.id, running.waiting.client_id, now()))
        else:
            self.running = None
            self._listener.given_back(running.waiting, after_pause=True)

    def _watch(self, running: RunningJob) -> None:
        """Look again when a node could have been quiet for too long; end the job if one has."""
        limit = self._settings.node_timeout
        if not limit or running.is_ending or running.is_interrupted:
            return
        quietest = running.quietest()
        quiet = self._clock() - quietest[1] if quietest is not None else 0.0
        if quietest is not None and quiet >= limit:
            running.verdict = running.timed_out(quietest[0], limit)
            self.worker.interrupt(running.id)
            self.worker.replace(f"node {quietest[0]} gave no sign of life for {limit:g} seconds")
        else:
            running.watch = asyncio.get_running_loop().call_later(limit - quiet, self._watch, running)

    def _end(self, outcome: Outcome) -> None:
        running = self.running
        if running is None or running.is_ending or running.id != outcome.job_id:
            return
        running.is_ending = True
        running.stop_timers()
        self._spawn(self._finish(running, running.verdict or outcome))

    async def _finish(self, running: RunningJob, outcome: Outcome) -> None:
        """Write the history first, so that whoever hears of the end finds it there."""
        await self._write(running, outcome)
        self.running = None
        self._listener.tell(outcome)
        self._listener.tell_queue()
        self._listener.tell(JobEnded(outcome.job_id, outcome.client_id))
        self._listener.runner_idle()

    async def _write(self, running: RunningJob, outcome: Outcome) -> None:
        """Write the end of a job; a disk that does not take it is waited for, as nothing else could be begun either."""
        end = End(running.id, state_after(outcome), outcome.timestamp, running.outputs, (*running.events, outcome))
        store, limit = self._store, self._settings.history_limit

        def write() -> None:
            if running.is_damaged:
                store.store.empty(running.id)
            store.store.finish(end, limit)

        for pause in chain(PAUSES_FOR_THE_DISK, repeat(PAUSES_FOR_THE_DISK[-1])):
            try:
                await store.do(write)
                self._disk_is(None)
                return
            except StoreError as error:
                if self._is_stopping:
                    LOG.error("The end of job %s could not be written to the history: %s", running.id, error)
                    return
                LOG.warning("The end of job %s cannot be written yet: %s", running.id, error)
                self._disk_is(error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._told_to_stop.wait()
            except Exception:
                LOG.exception("The end of job %s could not be written to the history.", running.id)
                return

    def _disk_is(self, trouble: StoreError | None) -> None:
        """Note what keeps the disk from taking how jobs go on, and have it told."""
        notice = None if trouble is None else Notice("disk_refuses", f"{trouble} Jobs wait until it can be.")
        if notice != self.notice:
            self.notice = notice
            self._listener.notices_changed()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
