"""What a server has accepted survives its end at any moment."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest

from execution.engine import DirectoryInUseError, Submission
from execution.engines.inline import inline_engine
from execution.engines.process import process_engine
from execution.events import JobFailed, JobSucceeded
from execution.messages import WorkerSetup
from execution.queue import MOST_ATTEMPTS
from execution.settings import EngineSettings
from nodes.paths import Paths
from tests.execution.conftest import Watched, is_alive
from tests.execution.fake_host import HOST, FakeFiles
from tests.execution.graphs import graph

ROOT = Path(__file__).parents[2]


class Server:
    """A server process that a test may kill."""

    def __init__(self, base: Path, workers: int = 1, spare_after: float | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.execution.fake_server", str(base), str(workers),
             *([] if spare_after is None else [str(spare_after)])],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        self._answers, self._graphs = self._process.stdout, self._process.stdin
        assert self._answers.readline() == "ready\n"

    def submit(self, document: dict[str, Any], key: str | None = None) -> str:
        """The id of the job, which is now accepted; nothing if the server was killed meanwhile."""
        with suppress(BrokenPipeError):
            self._graphs.write(json.dumps({"graph": document, "key": key}) + "\n")
            self._graphs.flush()
        return self._answers.readline().strip()

    def children(self) -> list[int]:
        """The processes that it has started, and those that these have."""
        return [process.pid for process in psutil.Process(self._process.pid).children(recursive=True)]

    def kill_after(self, seconds: float) -> None:
        threading.Timer(seconds, self._process.kill).start()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        self._process.wait()
        self._answers.close()
        with suppress(BrokenPipeError):
            self._graphs.close()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "base"


@pytest.fixture
def server(base: Path) -> Iterator[Server]:
    server = Server(base)
    yield server
    server.kill()


def engine_on(base: Path) -> Watched:
    paths = Paths.below(base, base / "bundled")
    settings = EngineSettings(base, paths.user / "jobs.sqlite3", FakeFiles())
    return Watched(process_engine(settings, WorkerSetup(paths, host=HOST)))


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def append(file: Path, line: str, milliseconds: int = 0) -> dict[str, Any]:
    return graph(a=("AppendLine", {"path": str(file), "line": line, "milliseconds": milliseconds}))


def saving(name: str) -> dict[str, Any]:
    return graph(s=("SaveWhole", {"name": name}))


async def test_killed_at_ten_random_moments_every_accepted_job_ends_once_and_every_file_is_whole(base: Path) -> None:
    generator = random.Random(7)
    keys = [str(UUID(int=generator.getrandbits(128))) for _ in range(50)]
    unanswered = list(keys)
    for number in range(10):
        server = Server(base, workers=1 + number % 2)
        server.kill_after(generator.uniform(0.05, 0.5))
        while unanswered and server.submit(saving(unanswered[0]), unanswered[0]):
            unanswered.pop(0)
        server.wait()
    watched = engine_on(base)
    await watched.engine.start()
    for key in unanswered:
        await watched.engine.submit(Submission(saving(key), job_id=key))
    await watched.until(lambda: not watched.engine.queue().pending and not watched.engine.queue().running)
    history = await watched.history()
    assert sorted(entry.job.id for entry in history) == sorted(keys)
    for entry in history:
        if entry.job.state == "succeeded":
            [file] = entry.outputs["s"]["files"]
            assert file["filename"].startswith(entry.job.id)
        else:
            assert isinstance(entry.events[-1], JobFailed)
            assert entry.events[-1].exception_type == "ServerDied"
    files = [file for file in (base / "output").iterdir() if not file.name.startswith(".")]
    assert len(files) >= sum(entry.job.state == "succeeded" for entry in history)
    for file in files:
        content = file.read_bytes()
        assert hashlib.sha256(content[32:]).digest() == content[:32], file
    await watched.engine.stop()


def test_no_worker_outlives_its_server_nor_does_a_spare_or_what_nodes_have_started(base: Path, tmp_path: Path) -> None:
    """Not even one whose node lets nothing else of its process run."""
    server = Server(base, spare_after=0)
    busy = ("HoldUntil", {"gate": "/never", "started": "/dev/null"})
    file, other = tmp_path / "child", tmp_path / "other"
    server.submit(graph(s=("StartChild", {"path": str(file)})))
    wait_until(lambda: len(server.children()) == 3)  # worker, spare, and what the node has started
    server.submit(graph(s=("StartChild", {"path": str(other)}), h=busy, o=("Show", {"x": ["h", 0]})))
    wait_until(lambda: len(server.children()) == 4 and other.exists() and other.read_text())
    everyone = server.children()
    assert {int(file.read_text()), int(other.read_text())} < set(everyone)
    server.kill()
    wait_until(lambda: not any(map(is_alive, everyone)))


async def test_a_second_server_on_the_same_directory_is_refused(server: Server, base: Path) -> None:
    second = engine_on(base)
    with pytest.raises(DirectoryInUseError, match=r"Another Weft \(process \d+\) uses .* another --base-directory"):
        await second.engine.start()
    server.kill()
    await second.engine.start()
    await second.engine.stop()


async def test_a_job_that_ran_at_a_planned_end_is_not_blamed(
    settings: EngineSettings, setup: WorkerSetup, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    document = {"m": append(marker, "begun")["a"], "a": append(tmp_path / "end", "x", milliseconds=300)["a"]}
    job_id = ""
    for _ in range(MOST_ATTEMPTS + 1):
        watched = Watched(process_engine(settings, setup))
        await watched.engine.start()
        if not job_id:
            job_id = (await watched.engine.submit(Submission(document))).job_id
        await watched.node_started("a")
        await watched.engine.stop()
    watched = Watched(inline_engine(settings, setup))
    await watched.engine.start()
    assert isinstance(await watched.outcome(job_id), JobSucceeded)
    await watched.engine.stop()
    assert (tmp_path / "end").read_text() == "x\n"
