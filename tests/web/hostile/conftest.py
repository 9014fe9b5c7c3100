"""A server over an engine that runs, and a client that lets no answer pass that a server must not give."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import TCPConnector
from aiohttp.test_utils import TestClient, TestServer

from execution.engines.inline import inline_engine
from execution.graph import GraphLimits
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
        pause = 0.001
        async with asyncio.timeout(120):
            while not (found := await self.read(f"/history/{job_id}")):
                await asyncio.sleep(pause)
                pause = min(2 * pause, 0.1)
        return found[job_id]


@pytest.fixture(scope="module")
def graph_limits() -> GraphLimits:
    return GraphLimits()


@pytest.fixture(scope="module")
def server_settings() -> ServerSettings:
    return ServerSettings(client_directory=ROOT / "web" / "static")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def started(
    tmp_path_factory: pytest.TempPathFactory, graph_limits: GraphLimits, server_settings: ServerSettings
) -> AsyncIterator[Server]:
    """One server for all tests of a file: what one sends must not harm the next."""
    paths = Paths.below(tmp_path_factory.mktemp("base"), ROOT / "bundled")
    paths.prepare()
    limits = EngineSettings(paths.base, paths.base / "weft.db", FakeFiles(), queue_limit=20, graph_limits=graph_limits)
    app = create_app(inline_engine(limits, WorkerSetup(paths, host=HOST)), paths, server_settings)
    # Connections are not kept, because a server may end them while the next request is on its way.
    async with TestClient(TestServer(app), connector=TCPConnector(force_close=True)) as client:
        yield Server(client, paths.base)


@pytest_asyncio.fixture(loop_scope="module")
async def server(started: Server) -> AsyncIterator[Server]:
    """After each test the server still answers, and a small job runs."""
    yield started
    await started.post({"clear": True}, "/queue")
    entry = await started.run(shown(3))
    assert (entry["status"]["completed"], entry["outputs"]) == (True, {"2": {"text": ["3"]}})
    await started.read("/queue")
    await started.read("/history?max_items=3")
