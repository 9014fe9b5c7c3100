"""Packs in a worker process of a server, as clients see them."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from execution.engines.process import process_engine
from execution.files import FilesOnDisk
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from nodes.paths import Paths
from tests.nodes.v1.conftest import PACKS, node
from web.server.app import create_app
from web.server.settings import ServerSettings


@pytest.fixture
async def client(tmp_path: Path):
    paths = Paths.below(tmp_path / "base", tmp_path / "bundled")
    paths.prepare()
    for name in ("image_filters.py", "switches.py", "exits.py", "own_routes.py"):
        shutil.copy(PACKS / name, paths.custom_nodes / name)
    (paths.custom_nodes / "slow.py").write_text("import time\ntime.sleep(0.3)\nNODE_CLASS_MAPPINGS = {}\n")
    for name in ("model-tools.v1", "broken-import"):
        shutil.copytree(PACKS / name, paths.custom_nodes / name)
    settings = EngineSettings(paths.base, paths.base / "weft.db", FilesOnDisk(paths))
    app = create_app(process_engine(settings, WorkerSetup(paths)), paths, ServerSettings(tmp_path))
    async with TestClient(TestServer(app)) as client:
        client.base = paths.base
        yield client


async def ended(socket) -> list[dict]:
    """The messages up to the end of a job."""
    told = []
    async with asyncio.timeout(60):
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                told.append(json.loads(message.data))
                if told[-1]["type"] == "executing" and told[-1]["data"]["node"] is None:
                    return told
    raise AssertionError(told)


async def test_clients_see_run_and_are_told_of_packs(client: TestClient) -> None:
    assert isinstance(client.session, ClientSession)
    # The page and its questions do not wait for a pack that takes its time.
    status = await (await client.get("/weft/status")).json()
    assert status["worker"]["state"] == "starting"
    packs = await (await client.get("/weft/packs")).json()
    assert {one["name"] for one in packs["failures"]} == {"broken-import", "exits"}
    assert {"name": "model-tools.v1", "nodes": 3} in packs["loaded"]
    assert await (await client.get("/extensions")).json() == ["/extensions/model-tools.v1/tools.js"]
    assert "world" in await (await client.get("/extensions/model-tools.v1/tools.js")).text()

    (client.base / "models" / "test_models").mkdir()
    (client.base / "models" / "test_models" / "late.safetensors").write_bytes(b"")
    graph = {
        "1": node("Test PickModel", name="late.safetensors", sampler="euler", width=64),
        "2": node("Test Repeat", text=["1", 0], times=3),
        "3": node("Test SaveText", text=["2", 0]),
    }
    async with client.ws_connect("/ws?clientId=me") as socket:
        # The file was not there when the worker asked the node what it lists.
        accepted = await client.post("/prompt", json={"prompt": graph, "client_id": "me"})
        assert accepted.status == 200, await accepted.text()
        told = await ended(socket)
    executed = next(one["data"] for one in told if one["type"] == "executed" and one["data"]["node"] == "3")
    assert executed["output"]["text"][0] == "|".join(["LATE.SAFETENSORS"] * 3)
    assert {"type": "test.picked", "data": {"name": "late.safetensors"}} in told
    described = await (await client.get("/object_info/Test%20PickModel")).json()
    assert described["Test PickModel"]["input"]["required"]["name"][0] == ["late.safetensors"]

    await packs_answer_at_their_own_addresses(client)
    await a_route_of_a_pack_knows_and_stops_the_job_that_runs(client)


async def a_route_of_a_pack_knows_and_stops_the_job_that_runs(client: TestClient) -> None:
    graph = {
        "1": node("Test AsyncWait", seconds=5.0),
        "2": node("Test JoinAny", a=["1", 0]),
        "3": node("Test SaveText", text=["2", 0]),
    }
    async with client.ws_connect("/ws?clientId=you") as socket:
        answer = await client.post("/prompt", json={"prompt": graph, "client_id": "you"})
        job_id = (await answer.json())["prompt_id"]
        async with asyncio.timeout(60):
            while (await (await client.get("/test_pack/running")).json())["job"] != job_id:
                await asyncio.sleep(0.01)
        stopped = await client.post("/test_pack/stop")
        assert await stopped.text() == "127.0.0.1:8188"
        told = await ended(socket)
    assert "execution_interrupted" in {one["type"] for one in told}
    assert (await (await client.get("/test_pack/running")).json())["client"] == "you"
    # One that comes after the job stops nothing: neither that job nor the next.
    assert (await client.post("/test_pack/stop")).status == 200
    async with client.ws_connect("/ws?clientId=you") as socket:
        graph["1"] = node("Test Upper", text="next")
        await client.post("/prompt", json={"prompt": graph, "client_id": "you"})
        told = await ended(socket)
    assert "execution_success" in {one["type"] for one in told}


async def packs_answer_at_their_own_addresses(client: TestClient) -> None:
    for prefix in ("", "/api"):
        greeting = await client.get(f"{prefix}/test_pack/greeting/you%20there?loud=1")
        assert await greeting.json() == {"hello": "you there", "loud": "1"}
    assert greeting.headers["X-Content-Type-Options"] == "nosniff"
    echo = await client.post("/test_pack/echo", json={"a": 1, "b": 2})
    assert (echo.status, await echo.text(), echo.headers["ETag"]) == (201, "2 values", '"x"')
    assert "Set-Cookie" not in echo.headers
    assert "own_routes" not in await (await client.get("/test_pack/files/none.txt")).text()
    assert "hasattr(PromptServer" in await (await client.get("/test_pack/files/own_routes.py")).text()
    assert (await client.get("/test_pack/fails")).status == 500
    assert (await client.get("/test_pack/none")).status == 404
    assert (await client.put("/prompt")).status == 405
    foreign = await client.get("/test_pack/greeting/x", headers={"Origin": "http://evil.example"})
    assert foreign.status == 403
