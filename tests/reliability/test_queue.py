"""A server under load and faults goes on: the rows D05, D06, D09, F09, F10, L02 and O01."""

import asyncio
import json
import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from execution.engine import Job
from execution.json_text import JsonText
from execution.store import Store
from tests.execution.graphs import graph, shown
from tests.reliability.server import Server, append, rows, saved, saving, serving, unharmed, until
from web.server import strict_json


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all faults that it has to live through."""
    with serving(tmp_path_factory.mktemp("queue") / "base") as server:
        yield server


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


async def gathered(server: Server, method: str, path: str, bodies: list[Any]) -> list[tuple[int, Any]]:
    """Status and content of requests that are sent at once, each on a connection of its own."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}", connector=connector) as http:

        async def ask(body: Any) -> tuple[int, Any]:
            async with http.request(method, path, json=body) as answer:
                return answer.status, strict_json.parse(await answer.read())

        return await asyncio.gather(*(ask(body) for body in bodies))


async def test_twenty_equal_posts_with_one_key_are_one_job(server: Server, trace: Path) -> None:
    body = {"prompt": append(trace), "prompt_id": str(uuid4())}
    with unharmed(server):
        answers = await gathered(server, "POST", "/prompt", [body] * 20)
        assert {(status, answer["prompt_id"]) for status, answer in answers} == {(200, body["prompt_id"])}
        assert server.ended(body["prompt_id"])["status"]["completed"]
        [(status, answer)] = await gathered(server, "POST", "/prompt", [body | {"prompt": append(trace, "another")}])
        assert (status, answer["error"]["type"]) == (409, "prompt_id_taken")
    assert trace.read_text() == "ran\n"


def test_a_file_that_does_not_fit_fails_its_job_and_leaves_no_part_of_itself(server: Server) -> None:
    with unharmed(server):
        worker = server.worker()
        old = resource.prlimit(worker, resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
        entry = server.run(saving("large"))
        resource.prlimit(worker, resource.RLIMIT_FSIZE, old)
        assert entry["status"]["status_str"] == "error"
        assert "File too large" in entry["status"]["messages"][-1][1]["exception_message"]
        assert saved(server.base, "large") == []
        assert server.run(saving("large"))["status"]["completed"]
        assert saved(server.base, "large") == ["large_00001_.bin"]
    (server.base / "output" / "large_00001_.bin").unlink()


def test_jobs_fail_while_there_is_no_output_folder_and_go_on_when_there_is(server: Server) -> None:
    output = server.base / "output"
    with unharmed(server):
        shutil.rmtree(output)
        assert server.run(saving("made anew"))["status"]["completed"]
        shutil.rmtree(output)
        output.write_text("in the way")
        entry = server.run(saving("nowhere"))
        assert entry["status"]["status_str"] == "error"
        assert entry["status"]["messages"][-1][1]["exception_type"].endswith(("NotADirectoryError", "FileExistsError"))
        output.unlink()
        assert server.run(saving("again"))["status"]["completed"]
    assert saved(server.base, "again") == ["again_00001_.bin"]


async def test_jobs_and_clients_that_come_and_go_leave_nothing_open(server: Server) -> None:
    def held() -> int:
        """Open files and threads of the server and its worker."""
        places = [f"/proc/{pid}/{kind}" for pid in (server.pid, worker) for kind in ("fd", "task")]
        return sum(len(os.listdir(place)) for place in places)

    async def load() -> None:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as http:
            for client in range(20):
                async with http.ws_connect(f"/ws?clientId={client}"):
                    jobs = [{"prompt": shown(number), "client_id": str(client)} for number in range(5)]
                    await gathered(server, "POST", "/prompt", jobs)
        until(lambda: server.queue() == ([], []))

    with unharmed(server):
        worker = server.worker()
        await load()
        before = held()
        await load()
        until(lambda: held() < before + 20)  # Fewer than clients came, and jobs.
        assert (server.base / "weft.db-wal").stat().st_size < 8 << 20


def test_two_workers_that_save_under_one_name_at_once_save_all_files(tmp_path: Path) -> None:
    with serving(tmp_path / "base", "--workers", "2") as server:
        workers = {server.worker(), server.worker()}
        jobs = [server.submit(saving("same") | graph(p=("ProcessId", {}))) for _ in range(16)]
        entries = [server.ended(job_id)["outputs"] for job_id in jobs]
        assert len(workers | {entry["p"]["pid"][0] for entry in entries}) == 2
    names = [entry["s"]["files"][0]["filename"] for entry in entries]
    assert sorted(names) == saved(tmp_path / "base", "same") == [f"same_{n:05}_.bin" for n in range(1, 17)]


def test_the_files_of_jobs_that_are_forgotten_stay(tmp_path: Path) -> None:
    with serving(tmp_path / "base", "--history-limit", "1") as server:
        server.run(saving("kept"))
        last = server.submit(saving("kept"))
        server.ended(last)
        assert list(server.history()) == [last]
    assert saved(tmp_path / "base", "kept") == ["kept_00001_.bin", "kept_00002_.bin"]


def memory(pid: int) -> int:
    """The most memory that a process has ever had, in bytes."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().split("\n") if line.startswith("VmHWM")]
    return int(line.split()[1]) << 10


def test_hundreds_of_large_jobs_wait_on_disk_and_one_more_is_refused(
    server: Server, tmp_path: Path, trace: Path, gate: Path
) -> None:
    base, count, size = tmp_path / "base", 400, 100_000
    base.mkdir()
    store = Store(base / "weft.db")
    documents = [append(trace, "first", gate), *(shown(number) for number in range(1, count + 1))]
    extra = JsonText.of({"extra_pnginfo": {"workflow": {"text": "x" * size}}})
    jobs = [
        Job(str(uuid4()), number, JsonText.of(one), ("2" if number else "a",), extra, None, "pending", 1)
        for number, one in enumerate(documents)
    ]
    store.transaction([lambda job=job: store.add(job) for job in jobs], durable=True)
    store.close()
    with serving(base, "--queue-limit", str(count)) as loaded:
        until(lambda: rows(base, "SELECT 1 FROM job WHERE state = 'running'"))
        answer = loaded.ask("POST", "/prompt", {"prompt": shown(1)})
        assert (answer.status, answer.headers["Retry-After"]) == (429, "5")
        assert answer.json["error"]["type"] == "queue_full"
        listed = loaded.ask("GET", "/queue")
        assert len(listed.text) > count * size
        assert [item[1] for item in json.loads(listed.text)["queue_pending"]] == [job.id for job in jobs[1:]]
        assert memory(loaded.pid) - memory(server.pid) < count * size / 2
        assert loaded.ask("POST", "/queue", {"clear": True}).status == 200
        gate.touch()
        assert loaded.run(shown(1))["status"]["completed"]
