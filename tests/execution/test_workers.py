"""Several workers run several jobs side by side."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from execution.engine import Submission
from execution.engines.process import ProcessWorker, process_engine
from execution.events import JobFailed, JobInterrupted, JobStarted, JobSucceeded, NodeStarted
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from tests.execution.conftest import Watched
from tests.execution.graphs import graph, shown


@pytest.fixture
async def two(settings: EngineSettings, setup: WorkerSetup) -> AsyncIterator[Watched]:
    """An engine with two workers, both ready."""
    watched = Watched(process_engine(settings, setup, setup))
    await watched.engine.start()
    await watched.until(lambda: all(runner.is_idle for runner in watched.engine._runners))
    yield watched
    await watched.engine.stop()


def slow(seed: int) -> Submission:
    return Submission(graph(s=("Steps", {"count": 200, "seed": seed}), out=("Show", {"x": ["s", 0]})))


async def both_running(watched: Watched) -> list[str]:
    jobs = [(await watched.engine.submit(slow(seed))).job_id for seed in (1, 2)]
    await watched.until(lambda: {one.job_id for one in watched.of(NodeStarted)} == set(jobs))
    return jobs


async def test_two_jobs_run_at_once_and_the_queue_tells_both(two: Watched) -> None:
    jobs = await both_running(two)
    third = await two.engine.submit(Submission(shown(1)))
    assert sorted(two.engine.queue().running) == sorted(jobs)
    assert two.engine.queue().pending == (third.job_id,)
    assert [job.state for job in await two.engine.jobs([*jobs, third.job_id, "none"])] == ["running"] * 2 + ["pending"]
    two.engine.interrupt()
    for job_id in jobs:
        assert isinstance(await two.outcome(job_id), JobInterrupted)
    assert isinstance(await two.outcome(third.job_id), JobSucceeded)


async def test_an_interrupt_by_id_stops_one_of_two(two: Watched) -> None:
    first, second = await both_running(two)
    assert two.engine.interrupt(second)
    assert isinstance(await two.outcome(second), JobInterrupted)
    assert two.engine.queue().running == (first,)
    two.engine.interrupt(first)


async def test_a_worker_that_dies_takes_only_its_own_job(two: Watched) -> None:
    jobs = await both_running(two)
    victim = two.engine._runners[0]
    assert isinstance(victim.worker, ProcessWorker)
    assert victim.worker.process_id is not None
    assert victim.running is not None
    lost = victim.running.id
    os.kill(victim.worker.process_id, signal.SIGKILL)
    assert isinstance(await two.outcome(lost), JobFailed)
    assert two.engine.queue().running == tuple(job for job in jobs if job != lost)
    assert two.engine.status().state == "ready"
    two.engine.interrupt()


async def test_the_same_graph_goes_where_its_results_are(two: Watched) -> None:
    for value in (1, 2, 3):
        await two.run(shown(value))
    two.events.clear()
    for value in (3, 1, 2, 2):
        assert isinstance(await two.run(shown(value)), JobSucceeded)
    assert two.of(NodeStarted) == []
    assert len(two.of(JobStarted)) == 4


async def test_each_of_two_models_is_loaded_once_for_twenty_jobs_in_turn(two: Watched, tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    def of(file: str, seed: int) -> Submission:
        load = ("Load", {"file": file, "trace": str(trace)})
        return Submission(graph(m=load, s=("Steps", {"count": 1, "seed": seed}), out=("Pass", {"x": ["m", 0]}),
                                show=("Show", {"x": ["out", 0]}), also=("Show", {"x": ["s", 0]})))  # fmt: skip

    for seed in range(10):
        files = ["a.safetensors", "sub/b.safetensors"]
        jobs = [await two.engine.submit(of(file, seed)) for file in files[:: 1 if seed % 3 else -1]]
        for job in jobs:
            assert isinstance(await two.outcome(job.job_id), JobSucceeded)
    assert len(trace.read_text().splitlines()) == 2


async def test_freeing_memory_reaches_every_worker(two: Watched) -> None:
    for value in (1, 2):
        await two.run(shown(value))
    two.engine.free(unload_models=True, free_memory=True)
    two.events.clear()
    for value in (1, 2):
        await two.run(shown(value))
    assert len(two.of(NodeStarted)) == 4


async def test_waiting_jobs_are_in_nobodys_memory_as_graphs(two: Watched) -> None:
    await both_running(two)
    await two.engine.submit(Submission(shown(1), extra_data={"workflow": "x" * 1000, "api_key_comfy_org": "s3cret"}))
    [waiting] = list(two.engine._queue)
    assert "x" * 1000 not in repr(waiting)
    assert waiting.secrets == {"api_key_comfy_org": "s3cret"}
    two.engine.interrupt()
