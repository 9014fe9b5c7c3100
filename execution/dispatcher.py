"""The engine of one server: takes graphs into the durable queue, hands them to workers, and keeps their history."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from execution.archive import Archive
from execution.checks import Checks
from execution.devices import combined
from execution.engine import (
    Accepted,
    Catalog,
    Checked,
    HistoryEntry,
    InvalidGraphError,
    Job,
    KeyTakenError,
    QueueFullError,
    QueueView,
    StoppingError,
    StoreError,
    Submission,
    WorkerFailedError,
    WorkerStatus,
)
from execution.events import Event, Notice, NoticesChanged, QueueChanged, WorkerChanged
from execution.executor import now
from execution.json_text import JsonText
from execution.lock import DirectoryLock
from execution.queue import JobQueue, Waiting
from execution.records import SECRETS
from execution.recovery import recovered
from execution.routing import Router
from execution.runner import Runner
from execution.salvage import open_store
from execution.settings import EngineSettings
from execution.store_thread import StoreThread
from execution.traits import KnownTraits, Traits
from execution.validation import refused_by_nodes
from execution.workers import Worker
from nodes.object_info import OWN
from nodes.spec import NodeSpec

LOG = logging.getLogger(__name__)

PAUSE_FOR_THE_DISK = 2.0
"""Seconds until jobs are begun again after the disk has refused one."""


class Dispatcher:
    """An Engine with one or more workers. All methods are called on the event loop."""

    def __init__(self, settings: EngineSettings, workers: Sequence[Worker]) -> None:
        self._settings = settings
        self._workers = workers
        self._lock = DirectoryLock(settings.base)
        self._checks = Checks(settings.files, settings.graph_limits)
        self._known_traits = KnownTraits()
        self._listeners: list[Callable[[Event], None]] = []
        self._queue = JobQueue()
        self._router = Router()
        self._runners: list[Runner] = []
        self._catalog: Catalog | None = None
        self._told = asyncio.Event()
        self._accepting = 0
        self._entering: dict[str, asyncio.Event] = {}
        self._count = 0
        self._is_stopping = self._is_stopped = False
        self._pause: asyncio.TimerHandle | None = None
        self._opened: tuple[StoreThread, Archive] | None = None
        self._damage: Notice | None = None

    @property
    def _store(self) -> StoreThread:
        return self._open()[0]

    @property
    def _archive(self) -> Archive:
        return self._open()[1]

    def _open(self) -> tuple[StoreThread, Archive]:
        if self._opened is None:
            raise StoreError("The engine has not been started.")
        return self._opened

    async def start(self) -> None:
        self._lock.acquire()
        try:
            opened, self._damage = await asyncio.to_thread(open_store, self._settings.database)
            store = StoreThread(opened)
            self._opened = store, Archive(self._settings.database)
            self._count = await store.do(store.store.last_sequence)
            for job in await recovered(store, self._settings.history_limit, self._traits):
                self._queue.add(job)
            await asyncio.to_thread(self._settings.when_alone)
        except BaseException:
            self._lock.release()
            raise
        self._runners = [Runner(worker, store, self._settings, self) for worker in self._workers]
        for runner in self._runners:
            runner.start()

    async def stop(self) -> None:
        if self._is_stopped:
            return
        self._is_stopped = self._is_stopping = True
        self._told.set()  # Nobody waits any more for a worker that starts.
        if self._pause is not None:
            self._pause.cancel()
        await asyncio.gather(*(runner.stop() for runner in self._runners))
        if self._opened is not None:
            store, archive = self._opened
            await archive.close()
            await store.close()
        self._lock.release()

    def status(self) -> WorkerStatus:
        """The best that a worker is: one that is ready is enough."""
        states = ("ready", "restarting", "starting", "failed")
        return min((runner.status for runner in self._runners), key=lambda one: states.index(one.state),
                   default=WorkerStatus("starting"))  # fmt: skip

    def notices(self) -> tuple[Notice, ...]:
        found = (self._damage, *(runner.notice for runner in self._runners))
        return tuple(dict.fromkeys(notice for notice in found if notice is not None))

    async def catalog(self) -> Catalog:
        while self._catalog is None:
            await self._told.wait()
            self._refuse_at_the_end()
            status = self.status()
            if status.state == "failed":
                raise WorkerFailedError(status.detail)
        return self._catalog

    async def fresh_catalog(self) -> Catalog:
        catalog = await self.catalog()
        if not any(spec.module != OWN for spec in catalog.specs.values()):
            return catalog
        await asyncio.gather(*(runner.worker.refresh() for runner in self._runners))
        return await self.catalog()

    async def check(self, submission: Submission) -> Checked:
        catalog = await self.catalog()
        checked = await self._checked(submission, catalog)
        if _may_be_outdated(checked, catalog):
            checked = await self._checked(submission, await self.fresh_catalog())
        return await self._checked_by_nodes(checked) if checked.own_checkers else checked

    async def _checked_by_nodes(self, checked: Checked) -> Checked:
        """Ask nodes that check themselves, in a worker; one that is busy can answer too. Jobs ask once more."""
        runner = min(self._runners, key=lambda one: (one.status.state != "ready", one.running is not None))
        return refused_by_nodes(checked, await runner.worker.checks(checked.graph, checked.own_checkers))

    async def _checked(self, submission: Submission, catalog: Catalog) -> Checked:
        # In a thread, because a large graph and many files take longer than other clients should wait.
        return await asyncio.to_thread(self._checks.of, submission.graph, submission.targets, catalog.specs)

    async def submit(self, submission: Submission) -> Accepted:
        self._refuse_at_the_end()
        key = submission.job_id
        if key is None:
            return await self._submit(submission)
        # What comes under one key is taken up one after the other, so that all but the first find it known.
        while key in self._entering:
            await self._entering[key].wait()
        self._entering[key] = asyncio.Event()
        try:
            return await self._known(key, submission) or await self._submit(submission)
        finally:
            self._entering.pop(key).set()

    def _refuse_at_the_end(self) -> None:
        if self._is_stopping:
            raise StoppingError

    async def _known(self, key: str, submission: Submission) -> Accepted | None:
        """The answer if there is a job under this key already: waiting, running or ended. Raises KeyTakenError."""
        store = self._store
        found = await store.do(lambda: store.store.find(key))
        if found is None:
            return None
        if None not in (found.digest, submission.digest) and found.digest != submission.digest:
            raise KeyTakenError(f"The id {key} belongs to another job. Give each job an id of its own.")
        return Accepted(found.id, found.number, repeated=True)

    async def _submit(self, submission: Submission) -> Accepted:
        checked = await self.check(submission)
        self._count += 1
        if checked.error is not None:
            raise InvalidGraphError(checked.error, checked.node_errors)
        self._refuse_at_the_end()
        if len(self._queue) + self._accepting >= self._settings.queue_limit:
            raise QueueFullError(f"{self._settings.queue_limit} jobs wait already. Try again when some have run.")
        self._accepting += 1
        try:
            return await self._accept(submission, checked)
        finally:
            self._accepting -= 1

    async def _accept(self, submission: Submission, checked: Checked) -> Accepted:
        number = submission.number
        if number is None:
            number = float(-self._count if submission.front else self._count)
        job, waiting = await asyncio.to_thread(self._entered, submission, checked, number)
        store = self._store
        await store.do(lambda: store.store.add(job), durable=True)
        self._queue.add(waiting)
        self.tell_queue()
        self._dispatch()
        return Accepted(job.id, number, checked.node_errors)

    def _entered(self, submission: Submission, checked: Checked, number: float) -> tuple[Job, Waiting]:
        """What is written of a new job, and what is kept in memory."""
        kept = {name: value for name, value in submission.extra_data.items() if name not in SECRETS}
        secrets = {name: value for name, value in submission.extra_data.items() if name in SECRETS}
        job = Job(
            submission.job_id or str(uuid.uuid4()), number, checked.graph, checked.targets,
            JsonText.of(kept), submission.client_id, "pending", now(), digest=submission.digest,
        )  # fmt: skip
        return job, Waiting(job.id, number, job.client_id, 0, self._traits(checked.graph), secrets)

    def _traits(self, graph: JsonText) -> Traits:
        """What tells workers apart for a graph; a single one needs no telling."""
        return self._known_traits.of(graph) if len(self._workers) > 1 else Traits()

    def queue(self) -> QueueView:
        running = tuple(runner.running.id for runner in self._runners if runner.running is not None)
        return QueueView(running, tuple(job.id for job in self._queue))

    async def jobs(self, job_ids: Sequence[str]) -> Sequence[Job]:
        return await self._archive.jobs(job_ids)

    async def cancel(self, job_ids: Iterable[str]) -> int:
        store = self._store
        removed = self._queue.remove(job_ids)
        if removed:
            try:
                await store.do(lambda: store.store.remove_unfinished(job.id for job in removed))
            except StoreError:
                # They would run after the next start, so nobody may take them for gone.
                for job in removed:
                    self._queue.add(job)
                self._dispatch()
                raise
            self.tell_queue()
        return len(removed)

    async def clear(self) -> int:
        return await self.cancel([job.id for job in self._queue])

    def interrupt(self, job_id: str | None = None) -> bool:
        meant = [one for one in self._runners if one.running is not None and job_id in (None, one.running.id)]
        return any([runner.interrupt() for runner in meant])

    async def history_ids(self, max_items: int | None = None, offset: int | None = None) -> Sequence[str]:
        return await self._archive.history_ids(max_items, offset)

    async def history(self, job_ids: Sequence[str]) -> Sequence[HistoryEntry]:
        return await self._archive.history(job_ids)

    async def delete_history(self, job_ids: Iterable[str]) -> int:
        store, ids = self._store, tuple(job_ids)
        return await store.do(lambda: store.store.delete_history(ids))

    async def clear_history(self) -> int:
        store = self._store
        return await store.do(lambda: store.store.delete_history(None))

    def free(self, unload_models: bool, free_memory: bool) -> None:
        for runner in self._runners:
            runner.free(unload_models, free_memory)

    async def device_stats(self) -> Mapping[str, Any]:
        told = await asyncio.gather(*(runner.worker.stats() for runner in self._runners))
        return combined(told)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def catalog_told(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def nodes_changed(self, specs: Mapping[str, NodeSpec]) -> None:
        if self._catalog is not None and specs:
            self._catalog = replace(self._catalog, specs={**self._catalog.specs, **specs})

    def worker_changed(self) -> None:
        status = self.status()
        if status.state in ("ready", "failed") or self._is_stopping:
            self._told.set()
        else:
            self._told.clear()
        self.tell(WorkerChanged(status.state, status.detail))
        self._dispatch()

    def notices_changed(self) -> None:
        self.tell(NoticesChanged(self.notices()))

    def runner_idle(self) -> None:
        self._dispatch()

    def given_back(self, job: Waiting, *, after_pause: bool = False) -> None:
        self._queue.add(job)
        if after_pause and self._pause is None:
            self._pause = asyncio.get_running_loop().call_later(PAUSE_FOR_THE_DISK, self._go_on)
        self._dispatch()

    def _go_on(self) -> None:
        self._pause = None
        self._dispatch()

    def _dispatch(self) -> None:
        """Give the next jobs to the workers that are idle."""
        while len(self._queue) and not self._is_stopping and self._pause is None:
            idle = [runner for runner in self._runners if runner.is_idle]
            if not idle:
                return
            busy = [runner for runner in self._runners if runner.running is not None]
            job, runner = self._router.choose(self._queue, idle, busy)
            self._queue.take(job)
            runner.take(job)

    def tell_queue(self) -> None:
        running = sum(runner.running is not None for runner in self._runners)
        self.tell(QueueChanged(len(self._queue) + running))

    def tell(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:  # one listener's fault is not the others'
                LOG.exception("A listener failed on %s.", type(event).__name__)


def _may_be_outdated(checked: Checked, catalog: Catalog) -> bool:
    """Whether a node of a pack refuses a word that may be a file which it did not list when it was asked."""
    return any(
        problem.type == "value_not_in_list" and catalog.specs[found.class_type].module != OWN
        for found in checked.node_errors.values()
        for problem in found.errors
    )
