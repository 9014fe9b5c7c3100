"""Nodes harm their worker and nothing else: the rows W01 to W05, W09, W13 and D08 of docs/reliability.md."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.execution.graphs import graph, shown
from tests.reliability.server import ROOT, Server, serving, unharmed, until, up

POLLERS, PATHS = 50, ("/queue", "/prompt", "/history", "/weft/status")
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server, which all faults meet in turn. What it and its workers print is thrown away."""
    with serving(tmp_path_factory.mktemp("workers") / "base") as server:
        reader = threading.Thread(target=drain, args=(server,), daemon=True)
        reader.start()
        yield server
        server.process.terminate()
        reader.join()


def drain(server: Server) -> None:
    """Read all that a server prints, as a terminal would."""
    assert server.process.stderr is not None
    while server.process.stderr.read(1 << 16):
        pass


def failure(entry: dict[str, Any]) -> dict[str, Any]:
    """Why a job has failed."""
    assert entry["status"]["status_str"] == "error"
    [told] = [data for kind, data in entry["status"]["messages"] if kind == "execution_error"]
    return told


def memory(server: Server) -> int:
    """The resident bytes of the server's own process."""
    return psutil.Process(server.pid).memory_info().rss


def test_a_message_of_markup_is_told_as_it_is(server: Server) -> None:
    message = '<img src=x onerror="alert(1)"></script>'
    with unharmed(server):
        told = failure(server.run(graph(r=("Raise", {"message": message}))))
    assert (told["exception_message"], told["node_id"]) == (message, "r")


@pytest.mark.parametrize(
    ("how", "reason", "respawns"),
    [
        ("segfault", "The worker process ended while node d (Die) ran: signal 11 (SIGSEGV).", 1),
        ("sys.exit", "4", 0),
        ("ctrl-c", "", 0),
        ("recurse", "maximum recursion depth exceeded", 0),
    ],
)
def test_whatever_ends_a_node_ends_its_job(server: Server, how: str, reason: str, respawns: int) -> None:
    with unharmed(server, respawns):
        told = failure(server.run(graph(d=("Die", {"how": how}))))
    assert told["exception_message"].startswith(reason)
    assert told["node_type"] == "Die"


def test_a_worker_that_is_killed_takes_one_job_and_the_three_behind_it_run(server: Server) -> None:
    with unharmed(server, respawns=1):
        worker = server.worker()
        running = server.submit(graph(h=("Hang", {}), out=("Show", {"x": ["h", 0]})))
        waiting = [server.submit(shown(value)) for value in range(3)]
        until(lambda: server.queue() == ([running], waiting))
        os.kill(worker, signal.SIGKILL)
        assert "signal 9 (SIGKILL)" in failure(server.ended(running))["exception_message"]
        assert all(server.ended(job_id)["status"]["completed"] for job_id in waiting)


def test_a_node_that_takes_memory_until_it_is_killed_takes_none_of_the_servers(server: Server) -> None:
    with unharmed(server, respawns=1):
        before = memory(server)
        told = failure(server.run(graph(m=("TakeMemory", {"megabytes": 200}))))
        assert told["exception_message"].endswith("signal 9 (SIGKILL), perhaps for lack of memory.")
        assert memory(server) - before < 64 * MEBIBYTE


def test_fifty_clients_are_answered_while_a_node_holds_the_interpreter(server: Server, tmp_path: Path) -> None:
    """It holds it until all have been answered: whoever had to wait for it would wait for ever."""
    gate, started = tmp_path / "gate", tmp_path / "started"
    held = graph(h=("HoldUntil", {"gate": str(gate), "started": str(started)}), out=("Show", {"x": ["h", 0]}))

    def poll(_: int) -> list[int]:
        return [server.ask("GET", path).status for path in PATHS]

    with unharmed(server):
        job_id = server.submit(held)
        until(started.exists)
        try:
            with ThreadPoolExecutor(POLLERS) as clients:
                assert list(clients.map(poll, range(POLLERS))) == [[200] * len(PATHS)] * POLLERS
            assert server.queue() == ([job_id], [])
        finally:
            gate.touch()
        assert server.ended(job_id)["status"]["completed"]


def test_what_a_node_prints_is_kept_nowhere(server: Server) -> None:
    with unharmed(server):
        before, files = memory(server), sum(file.stat().st_size for file in server.base.rglob("*"))
        assert server.run(graph(p=("Print", {"megabytes": 100})))["status"]["completed"]
        assert memory(server) - before < 64 * MEBIBYTE
        assert sum(file.stat().st_size for file in server.base.rglob("*")) - files < MEBIBYTE


def test_a_worker_that_cannot_start_leaves_a_server_that_says_why(tmp_path: Path) -> None:
    """The program itself, with a torch that cannot be imported."""
    (tmp_path / "torch.py").write_text("raise ImportError('no such processor')\n")
    command = [sys.executable, "main.py", "--port", "0", "--base-directory", str(tmp_path / "base")]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tmp_path)}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            server = up(process, tmp_path / "base")
            assert server is not None
            until(lambda: server.ask("GET", "/weft/status").json["worker"]["state"] == "failed")
            detail = server.ask("GET", "/weft/status").json["worker"]["detail"]
            assert detail == "The worker does not start: ImportError: no such processor"
            answers = {path: server.ask("GET", path) for path in ("/", "/queue", "/history", "/object_info")}
            answers["/prompt"] = server.ask("POST", "/prompt", {"prompt": shown(1)})
            assert [answer.status for answer in answers.values()] == [200, 200, 200, 503, 503]
            assert detail in answers["/object_info"].text
            assert detail in answers["/prompt"].text
            assert server.end(signal.SIGTERM) == 0
        finally:
            process.kill()


def test_the_editor_writes_no_markup_of_others() -> None:
    """React writes text as text; whoever goes round it has to show that it is safe."""
    sources = [*(ROOT / "web" / "client" / "src").rglob("*.ts*")]
    assert sources
    around = re.compile(r"dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write")
    assert [file.name for file in sources if around.search(file.read_text(encoding="utf-8"))] == []
