"""The engine of one server: takes graphs into the durable queue, hands them to the worker, and keeps their history."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from execution.engine import (
    Accepted,
    Catalog,
    Checked,
    HistoryEntry,
    InvalidGraphError,
    Job,
    QueueFullError,
    QueueView,
    StoreError,
    Submission,
    WorkerFailedError,
    WorkerStatus,
)
from execution.events import (
    Event,
    JobEnded,
    JobFailed,
    Outcome,
    QueueChanged,
    WorkerChanged,
)
from execution.executor import Run, now
from execution.files import Files
from execution.graph import GraphLimits
from execution.lock import DirectoryLock
from execution.queue import JobQueue
from execution.running import RunningJob, state_after
from execution.store import open_store
from execution.store_thread import StoreThread
from execution.validation import check

LOG = logging.getLogger(__name__)

MOST_ATTEMPTS = 2
"""How often a job is begun before its server's deaths are taken for its doing."""


class WorkerListener(Protocol):
    """Whom a worker reports to, on the event loop."""

    def worker_changed(self, status: WorkerStatus) -> None: ...

    def worker_ready(self, catalog: Catalog) -> None: ...

    def worker_events(self, events: Sequence[Event]) -> None: ...

    def worker_lost(self, reason: str) -> None:
        """The worker has ended, and with it whatever it did; another is being started."""
        ...


class Worker(Protocol):
    """Runs one job at a time, somewhere."""

    def start(self, listener: WorkerListener) -> None: ...

    async def stop(self) -> None: ...

    def run(self, run: Run) -> None: ...

    def interrupt(self, job_id: str) -> None:
        """Ask the job to stop at its next step."""
        ...

    def replace(self) -> None:
        """End the worker at once, whatever it does, and start another."""
        ...

    def free(self, unload_models: bool, free_memory: bool) -> None: ...

    async def stats(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where the queue lies and how much it takes. `interrupt_grace` is how many seconds a node has to notice.

    `when_alone` is called before the worker starts, once no other engine can use the base directory.
    """

    base: Path
    database: Path
    files: Files
    queue_limit: int = 5_000
    history_limit: int = 10_000
    interrupt_grace: float = 30.0
    graph_limits: GraphLimits = field(default_factory=GraphLimits)
    when_alone: Callable[[], None] = lambda: None


class Dispatcher:
    """An Engine with one worker. All methods are called on the event loop."""

    def __init__(self, settings: EngineSettings, worker: Worker) -> None:
        self._settings = settings
        self._worker = worker
        self._lock = DirectoryLock(settings.base)
        self._listeners: list[Callable[[Event], None]] = []
        self._queue = JobQueue()
        self._running: RunningJob | None = None
        self._status = WorkerStatus("starting")
        self._catalog: Catalog | None = None
        self._told = asyncio.Event()
        self._accepting = 0
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._opened: StoreThread | None = None

    @property
    def _store(self) -> StoreThread:
        if self._opened is None:
            raise StoreError("The engine has not been started.")
        return self._opened

    async def start(self) -> None:
        self._lock.acquire()
        try:
            self._opened = StoreThread(await asyncio.to_thread(open_store, self._settings.database))
            await self._recover()
            await asyncio.to_thread(self._settings.when_alone)
        except BaseException:
            self._lock.release()
            raise
        self._worker.start(self)

    async def _recover(self) -> None:
        """Take up the queue as the last server left it."""
        store = self._store
        self._count = await store.do(store.store.last_sequence)
        for job in await store.do(store.store.unfinished):
            if job.state == "pending" or job.attempt < MOST_ATTEMPTS:
                self._queue.add(replace(job, state="pending"))
            else:
                await self._give_up(job)

    async def _give_up(self, job: Job) -> None:
        reason = f"The server ended {job.attempt} times while this job ran, so it is not tried again."
        failed = JobFailed(job.id, job.client_id, now(), "ServerDied", reason)
        ended = replace(job, state="failed", ended=failed.timestamp)
        store = self._store
        await store.do(lambda: store.store.finish(ended, {}, (failed,), self._settings.history_limit))

    async def stop(self) -> None:
        self._is_stopping = True
        await self._worker.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._running is not None:
            await self._take_back(self._running)
        if self._opened is not None:
            await self._opened.close()
        self._lock.release()

    async def _take_back(self, running: RunningJob) -> None:
        """Leave the job that the end came upon to the next start, unless somebody has stopped it."""
        if running.is_interrupted:
            await self._finish(running, running.lost("the server ended"))
            return
        job, store = replace(running.job, attempt=running.job.attempt - 1), self._store
        await store.do(lambda: store.store.requeue(job))

    def status(self) -> WorkerStatus:
        return self._status

    async def catalog(self) -> Catalog:
        while self._catalog is None:
            await self._told.wait()
            if self._status.state == "failed":
                raise WorkerFailedError(self._status.detail)
        return self._catalog

    async def check(self, submission: Submission) -> Checked:
        catalog = await self.catalog()
        # In a thread, because a large graph and many files take longer than other clients should wait.
        return await asyncio.to_thread(
            check, submission.graph, catalog.specs, self._settings.files, submission.targets,
            self._settings.graph_limits,
        )  # fmt: skip

    async def submit(self, submission: Submission) -> Accepted:
        known = await self._known(submission.job_id)
        if known is not None:
            return Accepted(known.id, known.number, repeated=True)
        checked = await self.check(submission)
        self._count += 1
        if checked.error is not None:
            raise InvalidGraphError(checked.error, checked.node_errors)
        if len(self._queue) + self._accepting >= self._settings.queue_limit:
            raise QueueFullError(f"{self._settings.queue_limit} jobs wait already. Try again when some have run.")
        self._accepting += 1
        try:
            return await self._accept(submission, checked)
        finally:
            self._accepting -= 1

    async def _known(self, job_id: str | None) -> Job | None:
        """The job that has this id already, waiting, running or ended."""
        if job_id is None:
            return None
        store = self._store
        return await store.do(lambda: store.store.find(job_id))

    async def _accept(self, submission: Submission, checked: Checked) -> Accepted:
        number = submission.number
        if number is None:
            number = float(-self._count if submission.front else self._count)
        job = Job(
            submission.job_id or str(uuid.uuid4()), number, checked.graph, checked.targets, submission.extra_data,
            submission.client_id, "pending", now(),
        )  # fmt: skip
        store = self._store.store

        def add_if_new() -> Job | None:
            found = store.find(job.id)
            if found is None:
                store.add(job)
            return found

        found = await self._store.do(add_if_new, durable=True)
        if found is not None:
            return Accepted(found.id, found.number, repeated=True)
        self._queue.add(job)
        self._tell_queue()
        self._dispatch()
        return Accepted(job.id, number, checked.node_errors)

    def queue(self) -> QueueView:
        return QueueView((self._running.job,) if self._running is not None else (), tuple(self._queue))

    async def cancel(self, job_ids: Iterable[str]) -> int:
        removed = self._queue.remove(job_ids)
        if removed:
            store = self._store
            await store.do(lambda: store.store.remove_pending(job.id for job in removed))
            self._tell_queue()
        return len(removed)

    async def clear(self) -> int:
        return await self.cancel([job.id for job in self._queue])

    def interrupt(self, job_id: str | None = None) -> bool:
        running = self._running
        if running is None or running.is_ending or job_id not in (None, running.job.id):
            return False
        self._worker.interrupt(running.job.id)
        if not running.is_interrupted:
            running.is_interrupted = True
            loop = asyncio.get_running_loop()
            running.deadline = loop.call_later(self._settings.interrupt_grace, self._worker.replace)
        return True

    async def history(self, max_items: int | None = None, offset: int | None = None) -> Sequence[HistoryEntry]:
        store = self._store
        return await store.do(lambda: store.store.history(max_items, offset))

    async def history_entry(self, job_id: str) -> HistoryEntry | None:
        store = self._store
        return await store.do(lambda: store.store.entry(job_id))

    async def delete_history(self, job_ids: Iterable[str]) -> int:
        store, ids = self._store, tuple(job_ids)
        return await store.do(lambda: store.store.delete_history(ids))

    async def clear_history(self) -> int:
        store = self._store
        return await store.do(lambda: store.store.delete_history(None))

    def free(self, unload_models: bool, free_memory: bool) -> None:
        self._worker.free(unload_models, free_memory)

    async def device_stats(self) -> Mapping[str, Any]:
        return await self._worker.stats()

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def worker_changed(self, status: WorkerStatus) -> None:
        self._status = status
        if status.state in ("ready", "failed"):
            self._told.set()
        else:
            self._told.clear()
        self._publish(WorkerChanged(status.state, status.detail))
        self._dispatch()

    def worker_ready(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.worker_changed(WorkerStatus("ready"))

    def worker_events(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Outcome):
                self._end(event)
            else:
                if self._running is not None:
                    self._running.note(event)
                self._publish(event)

    def worker_lost(self, reason: str) -> None:
        running = self._running
        if running is None or running.is_ending or self._is_stopping:
            return
        if running.is_sent:
            self._end(running.lost(reason))
        else:
            self._running = None
            self._queue.add(replace(running.job, state="pending", attempt=running.job.attempt - 1))

    def _dispatch(self) -> None:
        """Give the next job to the worker, if there is one and it is idle."""
        if self._running is None and self._status.state == "ready" and len(self._queue) and not self._is_stopping:
            job = self._queue.pop()
            self._running = RunningJob(replace(job, state="running", started=now(), attempt=job.attempt + 1))
            self._spawn(self._begin(self._running))

    async def _begin(self, running: RunningJob) -> None:
        job, store = running.job, self._store
        try:
            await store.do(lambda: store.store.begin(job))
        except StoreError as error:
            self._end(JobFailed(job.id, job.client_id, now(), "StoreError", str(error)))
            return
        # The worker may have died in the meantime, and the job be back in the queue.
        if self._running is running:
            running.is_sent = True
            self._worker.run(Run(job.id, job.client_id, job.graph, job.targets, job.extra_data))

    def _end(self, outcome: Outcome) -> None:
        running = self._running
        if running is None or running.is_ending or running.job.id != outcome.job_id:
            return
        running.is_ending = True
        if running.deadline is not None:
            running.deadline.cancel()
        self._spawn(self._finish(running, outcome))

    async def _finish(self, running: RunningJob, outcome: Outcome) -> None:
        """Write the history first, so that whoever hears of the end finds it there."""
        job = replace(running.job, state=state_after(outcome), ended=outcome.timestamp)
        events = (*running.events, outcome)
        store, limit = self._store, self._settings.history_limit
        try:
            await store.do(lambda: store.store.finish(job, running.outputs, events, limit))
        except StoreError:
            LOG.exception("The end of job %s could not be written to the history.", job.id)
        self._running = None
        self._publish(outcome)
        self._tell_queue()
        self._publish(JobEnded(job.id, job.client_id))
        self._dispatch()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell_queue(self) -> None:
        self._publish(QueueChanged(len(self._queue) + (self._running is not None)))

    def _publish(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:  # one listener's fault is not the others'
                LOG.exception("A listener failed on %s.", type(event).__name__)
