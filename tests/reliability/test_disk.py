"""A disk that is full, or has changed what it keeps: the rows D09 to D13 and D15, and F10, on real disks."""

import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from execution.store import SCHEMA_VERSION
from tests.execution.graphs import shown
from tests.reliability.server import Server, append, refused, rows, saved, saving, serving, unharmed, until

SIZE = 4 << 20
PAGE = 4096
MESSAGES = "exception_message"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "base"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


@pytest.fixture
def small_disk(base: Path) -> Iterator[Path]:
    """The base directory as a disk of its own."""
    base.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(base)], capture_output=True)
    if made.returncode != 0:
        pytest.skip("only root may make a disk")
    yield base
    subprocess.run(["umount", "-l", str(base)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Nothing more fits on the disk meanwhile."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * PAGE)
        except OSError:
            pass
    yield
    filler.unlink()


def notices(server: Server) -> dict[str, str]:
    """What the server says that is not as it should be, by kind."""
    return {one["kind"]: one["message"] for one in server.ask("GET", "/weft/status").json["notices"]}


def test_a_full_disk_loses_nothing_and_says_so(small_disk: Path, gate: Path) -> None:
    large = {"extra_pnginfo": {"workflow": {"text": "x" * 200_000}}}
    workflow = "/userdata/workflows%2Fa.json"
    with serving(small_disk) as server, unharmed(server):
        server.ask("POST", "/settings", {"a": "old"})
        server.ask("POST", workflow, b"old")
        job_id = server.submit(saving("picture", gate))
        until(lambda: rows(small_disk, "SELECT 1 FROM job WHERE state = 'running'"))
        waiting = server.submit(shown(3))
        with full(small_disk):
            for path, body in (
                ("/settings", {"a": "new" * 5_000}),
                (workflow, b"new" * 5_000),
                ("/prompt", {"prompt": shown(1), "extra_data": large}),
            ):
                answer = server.ask("POST", path, body)
                assert (answer.status, "full" in answer.text) == (507, True), path
                assert str(small_disk) not in answer.text
            assert server.queue() == ([job_id], [waiting])
            assert server.ask("GET", "/settings").json == {"a": "old"}
            assert server.ask("GET", workflow).text == "old"
            gate.touch()
            until(lambda: saved(small_disk) == [] and "disk_refuses" in notices(server))
            assert "full" in notices(server)["disk_refuses"]
            assert server.ask("GET", f"/history/{job_id}").json == {}
        failure = server.ended(job_id)["status"]["messages"][-1][1]
        assert "No space left on device" in failure[MESSAGES]
        assert server.ended(waiting)["status"]["completed"]
        assert notices(server) == {}
        assert server.run(saving("picture"))["status"]["completed"]
        assert saved(small_disk, "picture") == ["picture_00001_.bin"]
        assert server.ask("POST", "/settings", {"a": "new"}).status == 200


def test_a_read_only_output_folder_fails_jobs_and_a_read_only_base_directory_the_start(
    small_disk: Path, tmp_path: Path
) -> None:
    with serving(tmp_path / "other", "--output-directory", str(small_disk)) as server, unharmed(server):
        remount(small_disk, "ro")
        failure = server.run(saving("picture"))["status"]["messages"][-1][1]
        assert "Read-only file system" in failure[MESSAGES]
        remount(small_disk, "rw")
        assert server.run(saving("picture"))["status"]["completed"]
    remount(small_disk, "ro")
    assert str(small_disk) in refused(small_disk)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how},size={SIZE}", str(disk)], check=True)


async def test_a_damaged_queue_is_told_and_kept_and_all_that_can_be_read_of_it_is_there(
    base: Path, tmp_path: Path, gate: Path
) -> None:
    trace = tmp_path / "trace"
    with serving(base) as server:
        done = [server.submit(shown(number)) for number in range(20)]
        for job_id in done:
            server.ended(job_id)
        first = server.submit(append(trace, "first", gate))
        waiting = [server.submit(append(trace, f"waiting {number}")) for number in range(3)]
        until(lambda: rows(base, "SELECT 1 FROM job WHERE state = 'running'"))
        server.end(signal.SIGKILL)
    [(root,)] = rows(base, "SELECT rootpage FROM sqlite_master WHERE name = 'job_history'")
    flip(base / "weft.db", (root - 1) * PAGE)
    damaged = (base / "weft.db").read_bytes()
    gate.touch()
    with serving(base) as server, unharmed(server):
        [kept] = base.glob("weft.db.damaged-*[0-9]")
        assert kept.read_bytes() == damaged
        told = notices(server)["queue_damaged"]
        assert kept.name in told
        assert str(base) not in told
        assert {"kind": "queue_damaged", "message": told} in await greeting(server)
        for job_id in (first, *waiting):
            assert server.ended(job_id)["status"]["completed"]
        assert list(server.history())[:24] == [*done, first, *waiting]


def flip(file: Path, place: int) -> None:
    """Turn over all bits of a page's beginning."""
    with file.open("r+b") as content:
        content.seek(place)
        old = content.read(100)
        content.seek(place)
        content.write(bytes(255 - byte for byte in old))


async def greeting(server: Server) -> list[Any]:
    """The notices that an editor is told of when it connects."""
    async with aiohttp.ClientSession() as http, http.ws_connect(f"http://127.0.0.1:{server.port}/ws") as socket:
        while (message := await socket.receive_json())["type"] != "notices":
            pass
        return message["data"]["notices"]


def test_the_queue_of_a_newer_weft_is_refused_and_left_alone(base: Path) -> None:
    base.mkdir()
    with closing(sqlite3.connect(base / "weft.db")) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    before = (base / "weft.db").read_bytes()
    assert "newer Weft" in refused(base)
    assert (base / "weft.db").read_bytes() == before
    assert not list(base.glob("weft.db?*"))
