"""What is accepted outlives every end of the server: the rows D01, D02, D04, D07 and D14 of docs/reliability.md."""

import http.client
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.execution.graphs import shown
from tests.reliability.server import (
    PATIENCE,
    Server,
    append,
    begun,
    end_of,
    rows,
    saved,
    saving,
    serving,
    unharmed,
    until,
    up,
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "base"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


def running(server: Server, document: dict[str, Any]) -> str:
    """The id of a job that runs, as far as the disk is told."""
    job_id = server.submit(document)
    until(lambda: rows(server.base, f"SELECT 1 FROM job WHERE id = '{job_id}' AND state = 'running'"))
    return job_id


def test_after_a_kill_all_that_had_not_ended_runs_once_more_and_what_had_ended_stands(
    base: Path, trace: Path, gate: Path
) -> None:
    with serving(base) as server:
        done = [server.submit(append(trace, f"done {number}")) for number in range(3)]
        for job_id in done:
            server.ended(job_id)
        first = running(server, append(trace, "first", gate))
        waiting = [server.submit(append(trace, f"waiting {number}")) for number in range(5)]
        server.end(signal.SIGKILL)
    gate.touch()
    with serving(base) as server, unharmed(server):
        for job_id in [first, *waiting]:
            assert server.ended(job_id)["status"]["completed"]
        assert list(server.history())[: 3 + 6] == [*done, first, *waiting]
    attempts = dict(rows(base, "SELECT id, attempt FROM job"))
    assert [attempts[job_id] for job_id in [*done, first, *waiting]] == [1, 1, 1, 2, 1, 1, 1, 1, 1]
    lines = trace.read_text().split("\n")[:-1]
    assert lines == [*(f"done {n}" for n in range(3)), "first", *(f"waiting {n}" for n in range(5))]


def test_told_to_stop_it_takes_no_more_jobs_and_keeps_the_running_one_for_the_next_start(
    base: Path, trace: Path, gate: Path
) -> None:
    with serving(base) as server:
        first = running(server, append(trace, "first", gate))
        waiting = server.submit(append(trace, "waiting"))
        with closing(sqlite3.connect(base / "weft.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # The disk takes its time, and so does the end.
            server.process.send_signal(signal.SIGTERM)
            assert server.process.stderr is not None
            while "stopping" not in server.process.stderr.readline():
                pass
            answer = server.ask("POST", "/prompt", {"prompt": shown(1)})
            other.execute("ROLLBACK")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json["error"]["type"] == "stopping"
        assert server.process.wait(PATIENCE) == 0
    assert rows(base, "SELECT id, state, attempt FROM job ORDER BY sequence") == [
        (first, "pending", 0), (waiting, "pending", 0),
    ]  # fmt: skip
    gate.touch()
    with serving(base) as server, unharmed(server):
        server.ended(waiting)
    assert trace.read_text() == "first\nwaiting\n"


def test_a_job_outlives_the_server_at_every_step_of_its_way(base: Path) -> None:
    """Accepted but not answered; begun but not noted; at the next start; file saved, but not in the history (D04)."""
    key = str(uuid4())
    with serving(base, kill_at="execution.queue:JobQueue.add") as server, pytest.raises(http.client.HTTPException):
        server.submit(saving("cat"), key)
    for place in ("execution.store:Store.begin:after", "execution.store:Store.unfinished"):
        assert end_of(base, place) == -signal.SIGKILL
        assert rows(base, "SELECT id, state, attempt FROM job") == [(key, "pending", 0)]
    assert end_of(base, "execution.store:Store.finish") == -signal.SIGKILL
    assert saved(base, "cat") == ["cat_00001_.bin"]
    assert rows(base, "SELECT state, attempt, end_order FROM job") == [("running", 1, None)]
    with serving(base) as server, unharmed(server):
        assert server.submit(saving("cat"), key) == key
        entry = server.ended(key)
        assert [file["filename"] for file in entry["outputs"]["s"]["files"]] == ["cat_00002_.bin"]
        assert list(server.history()).count(key) == 1
    assert saved(base, "cat") == ["cat_00001_.bin", "cat_00002_.bin"]


def test_a_job_that_is_being_cancelled_is_there_as_long_as_nobody_was_told_that_it_is_not(
    base: Path, trace: Path, gate: Path
) -> None:
    with serving(base, kill_at="execution.store:Store.remove_unfinished:after") as server:
        running(server, append(trace, "first", gate))
        waiting = server.submit(append(trace, "waiting"))
        with pytest.raises(http.client.HTTPException):
            server.ask("POST", "/queue", {"delete": [waiting]})
        assert server.process.wait(PATIENCE) == -signal.SIGKILL
    assert rows(base, f"SELECT state FROM job WHERE id = '{waiting}'") == [("pending",)]


def test_a_job_that_ends_the_server_twice_is_given_up_and_the_others_run(base: Path, trace: Path) -> None:
    with serving(base, kill_at="execution.engines.process:ProcessWorker.run") as server:
        deadly, other = (str(uuid4()) for _ in range(2))
        for key in (deadly, other):
            try:
                server.submit(append(trace, key), key)
            except (http.client.HTTPException, OSError):
                assert server.process.wait(PATIENCE) == -signal.SIGKILL
    assert end_of(base, "execution.engines.process:ProcessWorker.run") == -signal.SIGKILL
    assert rows(base, f"SELECT attempt FROM job WHERE id = '{deadly}'") == [(2,)]
    with serving(base) as server, unharmed(server):
        entry = server.ended(deadly)
        assert entry["status"]["status_str"] == "error"
        [[kind, failure]] = entry["status"]["messages"]
        assert (kind, failure["exception_type"]) == ("execution_error", "ServerDied")
        assert "The server ended 2 times while this job ran" in failure["exception_message"]
        assert server.ended(server.submit(append(trace, other), other))["status"]["completed"]
    assert trace.read_text() == f"{other}\n"


def test_of_servers_that_start_at_once_on_one_directory_one_does_whatever_they_call_it(base: Path) -> None:
    """And if somebody deletes the directory under that one, it says so to whoever gives it a job."""
    base.mkdir()
    link = base.with_name("link")
    link.symlink_to(base)
    processes = [begun(place) for place in (base, link, base)]
    try:
        [server] = [found for process in processes if (found := up(process, base)) is not None]
        with unharmed(server):
            for process in processes:
                if process is not server.process:
                    assert process.wait(PATIENCE) == 1
                    assert process.stderr is not None
                    message = process.stderr.read().split("\n")[-2]
                    assert message.startswith("Weft cannot start: Another Weft (process ")
                    assert "--base-directory" in message
        shutil.rmtree(base)
        answer = server.ask("POST", "/prompt", {"prompt": shown(1)})
        assert answer.status == 500
        assert "removed or replaced while Weft ran" in answer.json["error"]["message"]
        assert server.end(signal.SIGTERM) == 0
    finally:
        for process in processes:
            process.kill()
            process.communicate()
