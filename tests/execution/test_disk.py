"""What a disk that is full, or that has changed what it keeps, does to jobs."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from execution import dispatcher, runner
from execution.engine import StoreFullError, Submission
from execution.engines.inline import inline_engine
from execution.events import JobFailed, JobInterrupted, JobSucceeded, NodeStarted, NoticesChanged
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from tests.execution.conftest import Watched
from tests.execution.graphs import graph, shown


@pytest.fixture
async def inline(
    settings: EngineSettings, setup: WorkerSetup, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Watched]:
    monkeypatch.setattr(dispatcher, "PAUSE_FOR_THE_DISK", 0.05)
    monkeypatch.setattr(runner, "PAUSES_FOR_THE_DISK", (0.05,) * 100)
    watched = Watched(inline_engine(settings, setup))
    await watched.engine.start()
    await watched.engine.catalog()
    yield watched
    await watched.engine.stop()


async def change(watched: Watched, statement: str) -> list[Any]:
    store = watched.engine._store
    return await store.do(lambda: store.store._connection.execute(statement).fetchall())


async def fill_the_disk(watched: Watched) -> None:
    [[pages]] = await change(watched, "PRAGMA page_count")
    await change(watched, f"PRAGMA max_page_count={pages}")


async def free_the_disk(watched: Watched) -> None:
    await change(watched, "PRAGMA max_page_count=1000000")


SLOW = graph(s=("Steps", {"count": 1000, "milliseconds": 5}), out=("Show", {"x": ["s", 0]}))
LARGE = {"extra_pnginfo": {"workflow": "x" * 200_000}}


async def test_a_full_disk_takes_no_job_and_says_so(inline: Watched) -> None:
    await fill_the_disk(inline)
    with pytest.raises(StoreFullError, match="full"):
        await inline.engine.submit(Submission(shown(1), extra_data=LARGE))
    assert inline.engine.queue().pending == ()
    await free_the_disk(inline)
    assert isinstance(await inline.run(shown(1), extra_data=LARGE), JobSucceeded)


def refuse(watched: Watched, monkeypatch: pytest.MonkeyPatch, method: str, times: int) -> Iterator[bool]:
    """Have the disk refuse what a method of the store writes, so many times; gives something as long as it will."""
    store = watched.engine._store.store
    act, refusals = getattr(store, method), iter([True] * times)

    def refuse(*values: Any) -> Any:
        if next(refusals, False):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return act(*values)

    monkeypatch.setattr(store, method, refuse)
    return refusals


async def test_a_job_that_cannot_be_begun_waits_for_the_disk(inline: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = refuse(inline, monkeypatch, "begin", 2)
    first = await inline.engine.submit(Submission(shown(1)))
    second = await inline.engine.submit(Submission(shown(2)))
    assert isinstance(await inline.outcome(first.job_id), JobSucceeded)
    assert isinstance(await inline.outcome(second.job_id), JobSucceeded)
    assert [entry.job.id for entry in await inline.history()] == [first.job_id, second.job_id]
    assert next(refusals, False) is False


async def test_what_the_disk_refuses_is_told_until_it_takes_it(
    inline: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(inline, monkeypatch, "finish", 3)
    assert inline.engine.notices() == ()
    await inline.run(shown(1))
    assert inline.engine.notices() == ()
    first, last = inline.of(NoticesChanged)
    assert [(one.kind, "full" in one.message) for one in first.notices] == [("disk_refuses", True)]
    assert last.notices == ()


async def test_how_a_job_ended_is_written_as_soon_as_the_disk_takes_it_however_long_that_is(
    inline: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PAUSES_FOR_THE_DISK", (0.0, 0.001))
    refusals = refuse(inline, monkeypatch, "finish", 50)
    outcome = await inline.run(shown(1))
    assert isinstance(outcome, JobSucceeded)
    assert next(refusals, False) is False
    entry = await inline.entry(outcome.job_id)
    assert entry is not None
    assert entry.job.state == "succeeded"


async def test_a_job_stopped_while_it_waits_for_the_disk_is_not_begun_again(
    inline: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[Any] = []

    def interrupted(*values: Any) -> Any:
        attempts.append(values)
        asyncio.run_coroutine_threadsafe(interrupt(), loop).result()
        raise sqlite3.OperationalError("disk I/O error")

    async def interrupt() -> None:
        assert inline.engine.interrupt()

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(inline.engine._store.store, "begin", interrupted)
    assert isinstance(await inline.run(shown(1)), JobInterrupted)
    assert inline.of(NodeStarted) == []
    assert len(attempts) == 1


async def test_jobs_that_cannot_be_taken_out_of_the_queue_on_disk_are_still_in_it(
    inline: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await inline.engine.submit(Submission(SLOW))
    await inline.node_started("s")
    waiting = await inline.engine.submit(Submission(shown(1)))
    refuse(inline, monkeypatch, "remove_unfinished", 1)
    with pytest.raises(StoreFullError):
        await inline.engine.clear()
    assert inline.engine.queue().pending == (waiting.job_id,)
    assert await inline.engine.clear() == 1
    inline.engine.interrupt()
    await inline.outcome(running.job_id)


async def test_a_full_disk_does_not_keep_the_engine_from_stopping(
    with_process: Watched, settings: EngineSettings, setup: WorkerSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await with_process.engine.submit(Submission(SLOW))
    await with_process.node_started("s")
    refusals = refuse(with_process, monkeypatch, "requeue", 1)
    await with_process.engine.stop()
    assert next(refusals, False) is False
    again = Watched(inline_engine(settings, setup))
    await again.engine.start()
    await again.node_started("s")
    again.engine.interrupt()
    assert isinstance(await again.outcome(running.job_id), JobInterrupted)
    await again.engine.stop()


async def test_a_clock_that_goes_backwards_changes_no_order(inline: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    times = count(1_700_000_000_000_000_000, -3_600_000_000_000)
    monkeypatch.setattr(time, "time_ns", lambda: next(times))
    jobs = [(await inline.engine.submit(Submission(shown(value)))).job_id for value in range(5)]
    for job_id in jobs:
        assert isinstance(await inline.outcome(job_id), JobSucceeded)
    assert [entry.job.id for entry in await inline.history()] == jobs
    assert await inline.engine.history_ids(2) == jobs[3:]


async def test_jobs_that_the_disk_has_changed_are_told_and_the_others_run(
    settings: EngineSettings, setup: WorkerSetup
) -> None:
    watched = Watched(inline_engine(settings, setup))
    await watched.engine.start()
    running = await watched.engine.submit(Submission(graph(s=("Steps", {"count": 100}), o=("Show", {"x": ["s", 0]}))))
    await watched.node_started("s")
    damages = [
        "graph = '{\"1\": '", "targets = '5'", "targets = '['", "extra_data = '[]'", "graph = cast(x'7b22ff' as text)",
        "client_id = 'x'",
    ]  # fmt: skip
    jobs = [(await watched.engine.submit(Submission(shown(value)))).job_id for value in range(len(damages))]
    watched.engine.interrupt()
    watched.engine._is_stopping = True
    await watched.outcome(running.job_id)
    await watched.engine.stop()
    with sqlite3.connect(settings.database) as connection:
        for job_id, damage in zip(jobs, damages, strict=True):
            connection.execute(f"UPDATE job SET {damage} WHERE id = ?", (job_id,))
    connection.close()
    again = Watched(inline_engine(settings, setup))
    await again.engine.start()
    assert isinstance(await again.outcome(jobs[-1]), JobSucceeded)
    for job_id in jobs[:-1]:
        entry = await again.entry(job_id)
        assert entry is not None
        assert entry.job.state == "failed"
        assert isinstance(entry.events[-1], JobFailed)
        assert entry.events[-1].exception_type == "JobDamaged"
    await again.engine.stop()


@pytest.mark.parametrize("damage", ["events = '[5]'", "events = '[{}]'", "outputs = 'x'", "targets = 'x'"])
async def test_a_damaged_entry_hides_only_itself(inline: Watched, damage: str) -> None:
    first, second = [await inline.run(shown(value)) for value in (1, 2)]
    await change(inline, f"UPDATE job SET {damage} WHERE id = '{first.job_id}'")
    assert [entry.job.id for entry in await inline.history()] == [second.job_id]


async def test_many_small_jobs_leave_no_trail_of_memory_files_or_log(inline: Watched, settings: EngineSettings) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    await inline.run(shown(1))
    before = open_files()
    large = {"extra_pnginfo": {"workflow": "x" * 20_000}}
    jobs = [await inline.engine.submit(Submission(shown(1), extra_data=large)) for _ in range(300)]
    for job in jobs:
        await inline.outcome(job.job_id)
    assert open_files() <= before
    assert settings.database.with_name(settings.database.name + "-wal").stat().st_size < 8 << 20
    assert inline.engine._runners[0].running is None


@pytest.mark.parametrize("damage", ["UPDATE job SET targets = 'x'", "DELETE FROM job"])
async def test_a_job_that_changes_on_disk_while_it_waits_fails_and_the_next_runs(inline: Watched, damage: str) -> None:
    slow = graph(s=("Steps", {"count": 10, "milliseconds": 30}), out=("Show", {"x": ["s", 0]}))
    await inline.engine.submit(Submission(slow))
    await inline.node_started("s")
    changed = await inline.engine.submit(Submission(shown(1)))
    await change(inline, f"{damage} WHERE id = '{changed.job_id}'")
    outcome = await inline.outcome(changed.job_id)
    assert isinstance(outcome, JobFailed)
    assert outcome.exception_type == "JobDamaged"
    assert isinstance(await inline.run(shown(2)), JobSucceeded)
    assert inline.engine.queue().running == ()
