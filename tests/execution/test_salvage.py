"""What becomes of a queue that the disk has damaged."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from execution import salvage
from execution.engine import StoreError
from execution.salvage import open_store
from execution.store import End, Store
from tests.execution.dying_writers import job

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weft.db"


def filled(path: Path, jobs: int = 60) -> None:
    """A closed store: every second job has ended."""
    store = Store(path)
    ids = [f"job {number}" for number in range(jobs)]
    store.transaction([lambda id=id: store.add(job(id, 3000)) for id in ids], durable=True)
    ends = [End(id, "succeeded", 2, {}, ()) for id in ids[::2]]
    store.transaction([lambda end=end: store.finish(end, 1000) for end in ends], durable=True)
    store.close()


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\xa5" * PAGE)


def test_a_sound_queue_is_opened_without_a_word(path: Path) -> None:
    filled(path)
    store, notice = open_store(path)
    assert notice is None
    assert store.last_sequence() == 60


@pytest.mark.parametrize("page", range(2, 60, 5))
def test_of_a_damaged_queue_all_that_can_be_read_is_there_again(path: Path, page: int) -> None:
    filled(path)
    spoil(path, page)
    damaged = path.read_bytes()
    store, notice = open_store(path)
    if notice is None:
        return  # A page that nobody uses, or one of a text: told when it is read.
    [kept] = path.parent.glob("weft.db.damaged-*[0-9]")
    assert kept.read_bytes() == damaged
    assert notice.kind == "queue_damaged"
    assert kept.name in notice.message
    assert str(path.parent) not in notice.message
    states = dict(store._connection.execute("SELECT id, state FROM job").fetchall())
    assert len(states) >= 40
    assert f"{len(states)}. Others" in notice.message
    for id, state in states.items():
        assert state == ("pending" if int(id.split()[1]) % 2 else "succeeded")
    store.transaction([lambda: store.add(job("new"))], durable=True)
    assert store.last_sequence() >= 61


def with_journal(path: Path) -> bytes:
    """A store whose last program was killed before it moved a job from its journal into the file."""
    filled(path)
    store = Store(path)
    store.transaction([lambda: store.add(job("late"))], durable=True)
    journal = path.with_name("weft.db-wal").read_bytes()
    store.close()
    return journal


def test_what_the_last_program_had_not_yet_moved_into_the_file_is_read_too(path: Path) -> None:
    journal = with_journal(path)
    spoil(path, 20)
    path.with_name("weft.db-wal").write_bytes(journal)
    store, notice = open_store(path)
    assert notice is not None
    assert store.find("late") is not None


def test_what_it_had_not_moved_is_not_taken_for_the_new_ones(path: Path) -> None:
    journal = with_journal(path)
    path.write_bytes(b"no database at all" * 1000)
    path.with_name("weft.db-wal").write_bytes(journal)
    store, notice = open_store(path)
    assert notice is not None
    assert store._connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert list(store.unfinished()) == []
    [kept] = path.parent.glob("weft.db.damaged-*-wal")
    assert kept.read_bytes() == journal


@pytest.mark.parametrize("step", ["_take_over", "_exchange"])
def test_ended_while_it_saves_what_can_be_read_it_does_so_at_the_next_start(
    path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    spoil(path, 20)
    act = getattr(salvage, step)

    def end(*values: Path) -> None:
        if step == "_take_over":
            act(*values)
        raise KeyboardInterrupt

    monkeypatch.setattr(salvage, step, end)
    with pytest.raises(KeyboardInterrupt):
        open_store(path)
    monkeypatch.undo()
    store, notice = open_store(path)
    assert notice is not None
    assert len(list(store.unfinished())) > 20
    assert not path.with_name("weft.db.new").exists()


def test_an_index_that_is_broken_costs_no_job(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        [(root,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'job_history'").fetchall()
    spoil(path, root - 1)
    store, notice = open_store(path)
    assert notice is not None
    assert len(list(store.unfinished())) == 30
    assert store._connection.execute("SELECT count(*) FROM job").fetchone() == (60,)


def test_what_is_no_queue_at_all_is_kept_aside(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)
    for _ in range(2):
        store, notice = open_store(path)
        assert notice is not None
        assert list(store.unfinished()) == []
        store.close()
        path.write_bytes(b"no database at all" * 1000)
    kept = list(path.parent.glob("*.damaged-*[0-9]"))
    assert len(kept) == 2
    assert all(file.read_bytes().startswith(b"no database") for file in kept)


def test_a_queue_that_cannot_be_opened_is_not_taken_for_damaged(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be"):
        open_store(path)
    assert list(path.parent.iterdir()) == [path]
