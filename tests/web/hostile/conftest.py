"""A server over an engine that runs, and a client that lets no answer pass that a server must not give."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from execution.dispatcher import Dispatcher
from execution.engines.inline import inline_engine
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from nodes.paths import Paths
from tests.execution.fake_host import FakeFiles
from tests.execution.graphs import shown
from tests.web.hostile.nodes import HOST
from web.server import strict_json
from web.server.app import create_app
from web.server.settings import ServerSettings

ROOT = Path(__file__).parents[3]
MOST_BYTES = 64 * 1024


class Sent:
    """A request's answer: its status, its length and what it says."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.length = len(body)
        self.said: Any = strict_json.parse(body) if body else None

    @property
    def type(self) -> str:
        """The type of the error of the whole."""
        return self.said["error"]["type"]

    @property
    def message(self) -> str:
        return self.said["error"]["message"]

    def problems(self, node_id: str) -> list[tuple[str, str | None]]:
        """The problems of a node, each by its type and its input."""
        errors = self.said["node_errors"][node_id]["errors"]
        return [(error["type"], error["extra_info"].get("input_name")) for error in errors]


class Server:
    """Sends what is hostile. Every answer is strict JSON, short, below 500, and without a path or a traceback."""

    def __init__(self, client: TestClient, base: Path) -> None:
        self.client = client
        self._secrets = (str(base).encode(), str(ROOT).encode(), b"Traceback", b'File \\"')

    async def send(self, data: bytes, path: str = "/prompt", **headers: str) -> Sent:
        response = await self.client.post(path, data=data, headers=headers)
        body = await response.read()
        case = f"{path} {data[:200]!r} … {data[-40:]!r} → {response.status} {body[:400]!r}"
        assert response.status < 500, case
        assert len(body) <= MOST_BYTES, case
        assert not any(secret in body for secret in self._secrets), case
        return Sent(response.status, body)

    async def post(self, fields: Any, path: str = "/prompt") -> Sent:
        return await self.send(strict_json.dumps(fields).encode(), path)

    async def queue(self, graph: Any, **fields: Any) -> Sent:
        return await self.post({"prompt": graph, **fields})

    async def read(self, path: str) -> Any:
        """What an address answers, which must be strict JSON."""
        response = await self.client.get(path)
        assert response.status == 200
        return strict_json.parse(await response.read())

    async def run(self, graph: Any, **fields: Any) -> Any:
        """Queue a graph; returns what the history tells of it once it has ended."""
        sent = await self.queue(graph, **fields)
        assert sent.status == 200, sent.said
        return await self.ended(sent.said["prompt_id"])

    async def ended(self, job_id: str) -> Any:
        async with asyncio.timeout(60):
            while not (found := await self.read(f"/history/{job_id}")):
                await asyncio.sleep(0.005)
        return found[job_id]


@pytest.fixture
def engine_settings(paths: Paths) -> EngineSettings:
    return EngineSettings(paths.base, paths.base / "weft.db", FakeFiles())


@pytest.fixture
def running_engine(engine_settings: EngineSettings, paths: Paths) -> Dispatcher:
    return inline_engine(engine_settings, WorkerSetup(paths, host=HOST))


@pytest.fixture
async def server(
    running_engine: Dispatcher,
    paths: Paths,
    settings: ServerSettings,
    aiohttp_client: Callable[..., Awaitable[TestClient]],
) -> AsyncIterator[Server]:
    """After each test the server still answers, and a small job runs."""
    server = Server(await aiohttp_client(create_app(running_engine, paths, settings)), paths.base)
    yield server
    entry = await server.run(shown(3))
    assert (entry["status"]["completed"], entry["outputs"]) == (True, {"2": {"text": ["3"]}})
    await server.read("/queue")
    await server.read("/history")
