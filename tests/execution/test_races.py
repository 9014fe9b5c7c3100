"""Interrupts, ends and deaths that meet: every job ends once, and only those that were meant are hit."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from execution.dispatcher import Dispatcher
from execution.engine import Catalog, Job, Problem, Submission
from execution.events import JobFailed, JobInterrupted, JobStarted, JobSucceeded, Outcome, now
from execution.json_text import JsonText
from execution.settings import EngineSettings
from execution.workers import WorkerListener
from tests.execution import fake_nodes
from tests.execution.conftest import Watched
from tests.execution.graphs import shown

RACES = 1_000


class Hasty:
    """A worker that ends its jobs when it likes, now and then by dying, and is told things at just that time."""

    def __init__(self, generator: Random) -> None:
        self.replaced = 0
        self._generator = generator
        self._listener: WorkerListener | None = None
        self._job_id: str | None = None
        self._stopped: set[str] = set()

    def start(self, listener: WorkerListener) -> None:
        self._listener = listener
        listener.worker_ready(Catalog({id: spec.without_code() for id, spec in fake_nodes.load().items()}))

    async def stop(self) -> None:
        pass

    def run(self, job: Job, secrets: Mapping[str, Any]) -> None:
        assert self._job_id is None, "one job at a time"
        self._job_id = job.id
        self._tell(JobStarted(job.id, job.client_id, now()))
        self._later(lambda: self._end(job))

    def _end(self, job: Job) -> None:
        assert self._listener is not None
        self._job_id = None
        if self._generator.random() < 0.1:
            self._listener.worker_lost("of a test")
        elif job.id in self._stopped:
            self._tell(JobInterrupted(job.id, job.client_id, now()))
        else:
            self._tell(JobSucceeded(job.id, job.client_id, now()))

    def interrupt(self, job_id: str) -> None:
        # As if the news had to cross a pipe.
        self._later(lambda: self._stopped.add(job_id))

    def replace(self, because: str) -> None:
        self.replaced += 1

    def free(self, unload_models: bool, free_memory: bool) -> None:
        pass

    async def refresh(self) -> None:
        pass

    async def checks(self, graph: JsonText, nodes: tuple[str, ...]) -> Mapping[str, Sequence[Problem]]:
        return {}

    async def stats(self) -> Mapping[str, Any]:
        return {}

    def _tell(self, event: Any) -> None:
        assert self._listener is not None
        self._listener.worker_events([event])

    def _later(self, what: Callable[[], None]) -> None:
        async def wait() -> None:
            for _ in range(self._generator.randrange(6)):
                await asyncio.sleep(0)
            what()

        asyncio.get_running_loop().create_task(wait())


async def test_of_a_thousand_interrupts_at_the_end_each_hits_its_own_job_or_none(settings: EngineSettings) -> None:
    generator = Random(11)
    worker = Hasty(generator)
    watched = Watched(Dispatcher(settings, [worker]))
    await watched.engine.start()
    accepted = await asyncio.gather(*(watched.engine.submit(Submission(shown(1))) for _ in range(RACES)))
    jobs = [one.job_id for one in accepted]
    meant = {job_id for job_id in jobs if generator.random() < 0.5}
    for job_id in jobs:
        await watched.until(lambda job_id=job_id: job_id in (*watched.engine.queue().running, *watched.ended))
        for _ in range(generator.randrange(12)):
            await asyncio.sleep(0)
        if job_id in meant:
            watched.engine.interrupt(job_id)
    await watched.until(lambda: len(watched.ended) == RACES)
    ends = {job_id: kind for kind, job_id in ((type(one), one.job_id) for one in watched.of(Outcome))}
    assert len(watched.of(Outcome)) == len(await watched.history()) == RACES
    assert {ends[job_id] for job_id in jobs if job_id not in meant} == {JobSucceeded, JobFailed}
    assert JobInterrupted in {ends[job_id] for job_id in meant}, "some came in time"
    assert worker.replaced == 0
    await watched.engine.stop()
