"""A whole server in a process of its own, and what must hold of it after every fault."""

import hashlib
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from tests.execution.graphs import graph, shown
from web.server import strict_json

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which something will never happen."""

T = TypeVar("T")


class Answer(NamedTuple):
    """What the server said to a request."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> Any:
        return strict_json.parse(self.text.encode())


class Server:
    """A running server, as its clients and the one who started it see it."""

    def __init__(self, process: subprocess.Popen[str], port: int, base: Path) -> None:
        self.process = process
        self.port = port
        self.base = base

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request; a body that is not bytes goes as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, data, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())

    def submit(self, document: dict[str, Any], key: str | None = None, **fields: Any) -> str:
        """Queue a graph that is accepted; returns its id."""
        answer = self.ask("POST", "/prompt", {"prompt": document, "prompt_id": key or str(uuid4()), **fields})
        assert answer.status == 200, answer.text
        return answer.json["prompt_id"]

    def queue(self) -> tuple[list[str], list[str]]:
        """The ids of the jobs that run, and of those that wait."""
        told = self.ask("GET", "/queue").json
        return [item[1] for item in told["queue_running"]], [item[1] for item in told["queue_pending"]]

    def history(self) -> dict[str, Any]:
        return self.ask("GET", "/history").json

    def ended(self, job_id: str) -> dict[str, Any]:
        """The entry of a job, as soon as it has ended."""
        return until(lambda: self.ask("GET", f"/history/{job_id}").json.get(job_id))

    def run(self, document: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return self.ended(self.submit(document, **fields))

    def worker(self) -> int:
        """The process in which a job runs now."""
        return self.run(graph(p=("ProcessId", {})))["outputs"]["p"]["pid"][0]

    def end(self, how: signal.Signals) -> int:
        """End the process by a signal; returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


def begun(base: Path, *flags: str, kill_at: str = "") -> subprocess.Popen[str]:
    """A server that is about to start. With `kill_at` it ends where `served.py` says."""
    command = [sys.executable, "-m", "tests.reliability.served", "--port", "0", "--base-directory", str(base), *flags]
    environment = {**os.environ, "WEFT_TEST_KILL": kill_at}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def up(process: subprocess.Popen[str], base: Path) -> Server | None:
    """The server, as soon as it has told its address; None if it ends before."""
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
    return Server(process, int(found[1]), base) if found else None


@contextmanager
def serving(base: Path, *flags: str, kill_at: str = "") -> Iterator[Server]:
    """A server on a base directory."""
    process = begun(base, *flags, kill_at=kill_at)
    try:
        server = up(process, base)
        assert server is not None, process.communicate()[1]
        yield server
    finally:
        process.kill()
        process.communicate()


def end_of(base: Path, kill_at: str) -> int:
    """The exit code of a server that ends by itself."""
    process = begun(base, kill_at=kill_at)
    try:
        return process.wait(PATIENCE)
    finally:
        process.kill()
        process.communicate()


def refused(base: Path) -> str:
    """What a server says that does not start; it must be one line, after what it has logged."""
    process = begun(base, "--verbose", "ERROR")
    try:
        told = process.communicate(timeout=PATIENCE)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert told.startswith("Weft cannot start: ")
    assert told.count("\n") == 1
    return told


@contextmanager
def unharmed(server: Server, respawns: int = 0) -> Iterator[None]:
    """Around a fault: the server lives on, answers in strict JSON, runs the next job, and its queue is sound.

    Its worker is replaced as often as the fault asks for: once or not at all.
    """
    worker = server.worker()
    yield
    assert server.process.poll() is None
    assert server.ask("GET", "/weft/status").json["worker"]["state"] in ("ready", "restarting")
    assert server.run(shown(8))["status"]["completed"] is True
    assert (server.worker() != worker) == bool(respawns)
    assert server.queue() == ([], [])
    assert rows(server.base, "PRAGMA integrity_check") == [("ok",)]


def until(condition: Callable[[], T]) -> T:
    """What the condition gives as soon as it gives something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def rows(base: Path, statement: str) -> list[Any]:
    """What the queue on disk holds, seen from outside."""
    with closing(sqlite3.connect(base / "weft.db", timeout=PATIENCE)) as connection:
        return connection.execute(statement).fetchall()


def append(file: Path, line: str = "ran", gate: Path | None = None) -> dict[str, Any]:
    """A job that leaves a line each time it has run; it runs until the gate is there."""
    return graph(a=("AppendLine", {"path": str(file), "line": line, "gate": "" if gate is None else str(gate)}))


def saving(name: str, gate: Path | None = None) -> dict[str, Any]:
    """A job that saves a file, as soon as the gate is there."""
    return graph(s=("SaveWhole", {"name": name, "gate": "" if gate is None else str(gate)}))


def saved(base: Path, *names: str) -> list[str]:
    """The files in the output folder, hidden ones too; those that begin so must be whole."""
    found = sorted(file.name for file in (base / "output").iterdir())
    for name in found:
        if name.startswith(names):
            content = (base / "output" / name).read_bytes()
            assert hashlib.sha256(content[32:]).digest() == content[:32], name
    return found
