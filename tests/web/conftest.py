"""A server over an engine that runs nothing, in a base directory of its own."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient
from PIL import Image

from nodes.paths import Paths
from tests.web.fake_engine import FakeEngine
from web.server.app import create_app
from web.server.settings import ServerSettings


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths.below(tmp_path / "data", tmp_path / "bundled")
    paths.prepare()
    return paths


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>Weft</title>")
    (static / "assets" / "index-abc.js").write_text("void 0")
    (static / "favicon.svg").write_text("<svg/>")
    return ServerSettings(client_directory=static, socket_stall_seconds=0.3, read_seconds=2.0)


@pytest.fixture
async def client(
    engine: FakeEngine,
    paths: Paths,
    settings: ServerSettings,
    aiohttp_client: Callable[..., Awaitable[TestClient]],
) -> TestClient:
    return await aiohttp_client(create_app(engine, paths, settings))


def png(size: tuple[int, int] = (4, 4), color: str = "red", mode: str = "RGB") -> bytes:
    stream = BytesIO()
    Image.new(mode, size, color).save(stream, "PNG")
    return stream.getvalue()
