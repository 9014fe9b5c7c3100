"""The server over an engine that runs: what goes in over HTTP comes out of the queue and the history again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient

from execution.engines.inline import inline_engine
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from nodes.paths import Paths
from tests.execution.fake_host import HOST, FakeFiles
from tests.execution.graphs import graph, shown
from web.server import strict_json
from web.server.app import create_app
from web.server.settings import ServerSettings

SLOW = graph(s=("Steps", {"count": 1000, "milliseconds": 10}), out=("Show", {"x": ["s", 0]}))


@pytest.fixture
async def running(
    paths: Paths, settings: ServerSettings, aiohttp_client: Callable[..., Awaitable[TestClient]]
) -> TestClient:
    engine = inline_engine(
        EngineSettings(paths.base, paths.base / "weft.db", FakeFiles(), queue_limit=3), WorkerSetup(paths, host=HOST)
    )
    return await aiohttp_client(create_app(engine, paths, settings))


async def read(client: TestClient, path: str) -> Any:
    return strict_json.parse(await (await client.get(path)).read())


async def submit(client: TestClient, document: dict[str, Any], **fields: Any) -> tuple[int, Any]:
    response = await client.post("/prompt", json={"prompt": document, **fields})
    return response.status, await response.json()


async def ended(client: TestClient, job_id: str) -> Any:
    async with asyncio.timeout(60):
        while not (found := await read(client, f"/history/{job_id}")):
            await asyncio.sleep(0.01)
    return found[job_id]


async def test_a_job_goes_from_the_queue_into_the_history_as_it_was_posted(running: TestClient) -> None:
    _, first = await submit(running, SLOW)
    extra = {"extra_pnginfo": {"workflow": {"name": "그림 \N{GRINNING FACE} \u202egnp", "n": [1.5, None, -0.0]}}}
    _, second = await submit(running, shown(3), client_id="me", extra_data=extra, front=True)
    async with asyncio.timeout(60):
        while not (queue := await read(running, "/queue"))["queue_running"]:
            await asyncio.sleep(0.01)
    assert [item[1] for item in queue["queue_running"]] == [first["prompt_id"]]
    [[number, job_id, document, kept, targets]] = queue["queue_pending"]
    assert (number, job_id, targets) == (-2, second["prompt_id"], ["2"])
    assert document == shown(3)
    assert kept == extra | {"client_id": "me", "create_time": kept["create_time"]}
    await running.post("/interrupt", json={"prompt_id": first["prompt_id"]})
    entry = await ended(running, job_id)
    assert entry["prompt"] == [number, job_id, document, kept, targets]
    assert entry["outputs"] == {"2": {"text": ["3"]}}
    assert entry["status"]["completed"] is True
    assert list(await read(running, "/history")) == [first["prompt_id"], job_id]
    assert list(await read(running, "/history?max_items=1")) == [job_id]


async def test_a_key_means_one_job(running: TestClient) -> None:
    key = str(uuid4())
    answers = await asyncio.gather(*(submit(running, shown(1), prompt_id=key) for _ in range(10)))
    assert {(status, answer["prompt_id"]) for status, answer in answers} == {(200, key)}
    status, answer = await submit(running, shown(2), prompt_id=key)
    assert (status, answer["error"]["type"]) == (409, "prompt_id_taken")
    await ended(running, key)
    assert len(await read(running, "/history")) == 1


async def test_a_full_queue_takes_jobs_again_when_it_is_emptied(running: TestClient) -> None:
    _, first = await submit(running, SLOW)
    async with asyncio.timeout(60):
        while not (await read(running, "/queue"))["queue_running"]:
            await asyncio.sleep(0.01)
    assert [(await submit(running, shown(value)))[0] for value in range(5)] == [200, 200, 200, 429, 429]
    await running.post("/queue", json={"clear": True})
    assert (await submit(running, shown(9)))[0] == 200
    await running.post("/interrupt")
    await ended(running, first["prompt_id"])
