"""What the disk remembers."""

import asyncio
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from execution.archive import Archive
from execution.engine import HistoryEntry, Job, StoreError, StoreFullError
from execution.events import JobFailed, JobStarted, JobSucceeded, NodesCached
from execution.json_text import JsonText
from execution.store import SCHEMA_VERSION, End, Store
from execution.store_thread import StoreThread
from tests.execution.dying_writers import LARGE

ROOT = Path(__file__).parents[2]

EVENTS = (JobStarted("a", "c", 1), NodesCached("a", "c", ("1", "2"), 2), JobSucceeded("a", "c", 3))

OUTPUTS = {"1": {"text": ["x\ud800"]}}


def job(id: str, number: float = 1) -> Job:
    graph = {"1": {"class_type": "그림", "inputs": {}}}
    extra_data = JsonText.of({"extra_pnginfo": {"workflow": {}}})
    return Job(id, number, JsonText.of(graph), ("1",), extra_data, "c", "pending", 5, digest=b"d")


def done(store: Store, *jobs: Job, durable: bool = False) -> None:
    store.transaction([lambda one=one: store.add(one) for one in jobs], durable)


def finish(store: Store, one: Job, limit: int = 100) -> None:
    end = End(one.id, "succeeded", 9, OUTPUTS, EVENTS)
    store.transaction([lambda: store.finish(end, limit)], durable=False)


async def ended_ids(path: Path, max_items: int | None = None, offset: int | None = None) -> list[str]:
    archive = Archive(path)
    found = await archive.history_ids(max_items, offset)
    await archive.close()
    return found


async def entry_of(path: Path, job_id: str) -> HistoryEntry:
    archive = Archive(path)
    [found] = await archive.history([job_id])
    await archive.close()
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "user" / "jobs.sqlite3"


def test_a_job_comes_back_as_it_went_in(path: Path) -> None:
    store = Store(path)
    done(store, job("a"))
    store.close()
    assert Store(path).find("a") == job("a")


def test_unfinished_jobs_come_back_in_the_order_of_the_queue(path: Path) -> None:
    store = Store(path)
    done(store, job("a", 2), job("b", -1), job("c", 2), job("d", 1))
    store.transaction([lambda: store.begin("d", 7, 1)], durable=False)
    finish(store, job("b"))
    assert [(one.id, one.state, one.attempt) for one in store.unfinished()] == [
        ("d", "running", 1), ("a", "pending", 0), ("c", "pending", 0),
    ]  # fmt: skip


async def test_history_holds_outputs_and_events(path: Path) -> None:
    store = Store(path)
    done(store, job("a"))
    finish(store, job("a"))
    entry = await entry_of(path, "a")
    assert entry.job == replace(job("a"), state="succeeded", ended=9)
    assert entry.outputs == OUTPUTS
    assert entry.events == EVENTS


async def test_failures_are_remembered_in_full(path: Path) -> None:
    failed = JobFailed("a", None, 3, "ValueError", "no", "1", "T", ("2",), ("line\n",), {"x": "1"})
    store = Store(path)
    done(store, job("a"))
    store.transaction([lambda: store.finish(End("a", "failed", 3, {}, (failed,)), 10)], durable=False)
    assert (await entry_of(path, "a")).events == (failed,)


async def test_history_is_read_from_the_oldest_or_only_the_latest(path: Path) -> None:
    store = Store(path)
    done(store, *(job(id) for id in "abcde"))
    for id in "edcba":
        finish(store, job(id))

    assert await ended_ids(path) == list("edcba")
    assert await ended_ids(path, 2) == list("ba")
    assert await ended_ids(path, 2, 0) == list("ed")
    assert await ended_ids(path, 2, 3) == list("ba")
    assert await ended_ids(path, None, 4) == ["a"]


async def test_the_oldest_entries_make_room_for_new_ones(path: Path) -> None:
    store = Store(path)
    done(store, *(job(id) for id in "abcdw"))
    for id in "abcd":
        finish(store, job(id), limit=2)
    assert await ended_ids(path) == ["c", "d"]
    assert [one.id for one in store.unfinished()] == ["w"]


def test_ending_a_job_costs_the_same_however_long_the_history_is(path: Path) -> None:
    store, steps = Store(path), [0]

    def count() -> None:
        steps[0] += 1

    def cost_of_ending(id: str) -> int:
        done(store, job(id))
        steps[0] = 0
        store._connection.set_progress_handler(count, 1)
        finish(store, job(id), limit=10_000)
        store._connection.set_progress_handler(None, 1)
        return steps[0]

    few = cost_of_ending("few")
    done(store, *(job(str(number)) for number in range(300)))
    for number in range(300):
        finish(store, job(str(number)), limit=10_000)
    assert cost_of_ending("many") < few + 50


async def test_deleting_history_spares_the_queue_and_deleting_from_the_queue_spares_history(path: Path) -> None:
    store = Store(path)
    done(store, *(job(id) for id in "abc"))
    finish(store, job("a"))
    assert store.delete_history(["a", "b"]) == 1
    finish(store, job("c"))
    store.remove_unfinished(["b", "c"])
    assert await ended_ids(path) == ["c"]
    assert list(store.unfinished()) == []
    assert store.delete_history(None) == 1


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_only_what_has_to_outlast_a_power_cut_is_forced_to_the_disk(
    path: Path, durable: bool, synchronous: int
) -> None:
    store = Store(path)
    done(store, job("a"), durable=durable)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)


async def test_a_job_ends_once(path: Path) -> None:
    store = Store(path)
    done(store, job("a"), job("b"))
    finish(store, job("a"))
    finish(store, job("b"))
    late = End("a", "failed", 10, {}, EVENTS)
    store.transaction([lambda: store.finish(late, 100)], durable=False)
    assert await ended_ids(path) == ["a", "b"]
    assert store.find("a").state == "succeeded"


def test_a_job_that_a_dying_worker_gave_back_can_be_taken_out_of_the_queue(path: Path) -> None:
    store = Store(path)
    done(store, job("a"))
    store.begin("a", started=1, attempt=1)
    store.remove_unfinished(["a"])
    assert list(store.unfinished()) == []


def test_a_count_of_jobs_outlives_their_deletion(path: Path) -> None:
    store = Store(path)
    assert store.last_sequence() == 0
    done(store, job("a"), job("b"))
    store.remove_unfinished(["a", "b"])
    assert store.last_sequence() == 2


async def test_what_an_older_program_wrote_is_brought_to_the_new_form(path: Path) -> None:
    store = Store(path)
    done(store, job("a"), job("b"))
    finish(store, job("a"))
    store.close()
    with sqlite3.connect(path) as connection:
        connection.executescript("ALTER TABLE job DROP COLUMN digest; PRAGMA user_version=1;")
    assert [one.id for one in Store(path).unfinished()] == ["b"]
    assert (await entry_of(path, "a")).job.digest is None


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_a_newer_form_is_refused_and_left_alone(path: Path, journal: str) -> None:
    Store(path).close()
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA journal_mode={journal}")
    newer.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    before = {file.name: file.read_bytes() for file in path.parent.glob("*[!m]")}
    with pytest.raises(StoreError, match="newer Weft"):
        Store(path)
    assert {file.name: file.read_bytes() for file in path.parent.glob("*[!m]")} == before
    newer.close()


@pytest.mark.parametrize("suffix", ["", "-wal"])
@pytest.mark.parametrize("is_replaced", [False, True])
def test_nothing_is_taken_for_durable_once_the_files_are_gone(path: Path, suffix: str, is_replaced: bool) -> None:
    store = Store(path)
    done(store, job("a"), durable=True)
    file = path.with_name(path.name + suffix)
    file.rename(path.parent / "elsewhere")
    if is_replaced:
        file.write_bytes(b"")
    with pytest.raises(StoreError, match=r"jobs.sqlite3 of the queue has been removed or replaced"):
        done(store, job("b"), durable=True)
    finish(store, job("a"))
    assert store.find("a").state == "succeeded"
    assert store.find("b") is None


def test_killed_at_two_hundred_random_moments_it_holds_every_job_that_was_accepted(path: Path) -> None:
    command = [sys.executable, "-m", "tests.execution.dying_writers", str(path), "200"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    accepted, ending = ([line.split()[1] for line in told if line.startswith(word)] for word in ("accepted", "ending"))
    assert len(accepted) > 50
    store = Store(path)
    assert store._connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    states = dict(store._connection.execute("SELECT id, state FROM job").fetchall())
    assert set(accepted) <= set(states) | set(ending)
    assert list(states.values()).count("succeeded") <= 20
    assert all(find is not None and len(find.extra_data.text) > LARGE for find in map(store.find, states))


def test_stopped_anywhere_on_the_way_to_a_new_form_an_old_queue_is_whole(path: Path) -> None:
    store = Store(path)
    done(store, job("a"), job("b"))
    finish(store, job("a"))
    store._connection.executescript("ALTER TABLE job DROP COLUMN digest; PRAGMA user_version=1;")
    store.close()
    old = path.read_bytes()

    class Stopped(Store):
        """Its opening ends after so many steps of the database."""

        def _prepare(self) -> None:
            self._connection.set_progress_handler(lambda: 1, steps)
            super()._prepare()

    failures, steps = 0, 1
    while True:
        path.write_bytes(old)
        try:
            Stopped(path).close()
            break
        except StoreError:
            failures += 1
        reopened = Store(path)
        assert reopened.find("b") == replace(job("b"), digest=None)
        assert reopened.find("a") is not None
        reopened.close()
        steps += max(1, steps // 4)
    assert failures > 10


async def test_one_bad_order_fails_alone(path: Path) -> None:
    thread = StoreThread(Store(path))
    store = thread.store
    orders = [thread.do(lambda id=id: store.add(job(id)), durable=True) for id in ("a", "b", "a", "c")]
    results = await asyncio.gather(*orders, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), StoreError, type(None)]
    assert [one.id for one in await thread.do(lambda: list(store.unfinished()))] == ["a", "b", "c"]
    await thread.close()


async def test_a_full_disk_is_told_and_leaves_nothing_half_written(path: Path) -> None:
    thread = StoreThread(Store(path))
    store = thread.store
    await thread.do(lambda: store._connection.execute("PRAGMA max_page_count=10").fetchall())
    large = replace(job("a"), extra_data=JsonText.of({"x": "y" * 100_000}))
    with pytest.raises(StoreFullError, match="full"):
        await thread.do(lambda: store.add(large), durable=True)
    assert await thread.do(lambda: list(store.unfinished())) == []
    await thread.close()
