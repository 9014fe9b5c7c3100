"""What packs answer is passed on, and what is sent to them is held to the same limits as all else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from execution.engine import Catalog
from nodes.paths import Paths
from tests.web.fake_engine import FakeEngine
from web.server.app import create_app
from web.server.settings import ServerSettings


async def length(request: web.Request) -> web.Response:
    return web.json_response({"length": len(await request.read())})


@pytest.fixture
async def pack() -> AsyncIterator[Path]:
    """The socket of a worker whose packs have added one address; its path is short, as sockets' must be."""
    app = web.Application()
    app.router.add_post("/pack/length", length)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    with TemporaryDirectory() as folder:
        socket = Path(folder) / "packs"
        await web.UnixSite(runner, str(socket)).start()
        yield socket
        await runner.cleanup()


@pytest.fixture
async def client(
    engine: FakeEngine,
    pack: Path,
    paths: Paths,
    settings: ServerSettings,
    aiohttp_client: Callable[..., Awaitable[TestClient]],
    monkeypatch: pytest.MonkeyPatch,
) -> TestClient:
    async def catalog() -> Catalog:
        return Catalog(engine.specs, pack_socket=pack)

    monkeypatch.setattr(engine, "catalog", catalog)
    limits = replace(settings, read_seconds=0.2, linger_seconds=0.1, max_upload_bytes=100_000)
    return await aiohttp_client(create_app(engine, paths, limits))


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 1000


@pytest.mark.parametrize("path", ["/pack/length", "/api/pack/length"])
async def test_a_body_reaches_the_pack_whole(client: TestClient, path: str) -> None:
    for body, expected in ((None, 0), (b"x" * 100_000, 100_000), (pieces(100), 100_000)):
        response = await client.post(path, data=body)
        assert (response.status, await response.json()) == (200, {"length": expected})


async def test_a_body_that_is_too_long_is_refused_whether_it_says_so_or_not(client: TestClient) -> None:
    for body in (b"x" * 100_001, pieces(101)):
        response = await client.post("/pack/length", data=body)
        assert (response.status, await response.json()) == (413, {"error": "The request is too large."})


async def test_a_body_that_stops_coming_is_given_up(client: TestClient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"POST /pack/length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
    answer = await asyncio.wait_for(reader.read(), 30)
    assert answer.startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_worker_that_is_gone_is_told(client: TestClient, pack: Path) -> None:
    pack.unlink()
    response = await client.post("/pack/length", data=b"x")
    assert response.status == 503
