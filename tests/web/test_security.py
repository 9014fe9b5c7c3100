"""Only the server's own page and programs that are no browser may speak to it, under its own names."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from execution.events import QueueChanged
from nodes.paths import Paths
from tests.web.fake_engine import FakeEngine
from web.server.app import create_app
from web.server.errors import explain
from web.server.pack_routes import pass_on
from web.server.security import guard
from web.server.settings import ServerSettings

Make = Callable[..., Awaitable[TestClient]]
REQUESTS = [
    ("GET", "/"),
    ("GET", "/object_info"),
    ("GET", "/api/queue"),
    ("POST", "/prompt"),
    ("POST", "/upload/image"),
    ("POST", "/interrupt"),
    ("DELETE", "/userdata/x.json"),
    ("OPTIONS", "/prompt"),
    ("GET", "/nowhere"),
]
WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "x" * 22 + "==",
}


def host(client: TestClient) -> str:
    return f"127.0.0.1:{client.port}"


@pytest.mark.parametrize(("method", "path"), REQUESTS)
@pytest.mark.parametrize(
    "name",
    ["rebound.evil", "rebound.evil:80", "127.0.0.1.evil", "localhost.evil", "192.168.1.9", "127.1", "user@localhost"],
)
async def test_no_other_name_is_answered_to(client: TestClient, method: str, path: str, name: str) -> None:
    for headers in ({"Host": name}, {"Host": name, "Origin": f"http://{name}"}):
        response = await client.request(method, path, headers=headers)
        assert response.status in (400, 421)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST:8188", "127.0.0.1:9999"])
async def test_loopback_names_are_answered_to_on_any_port(client: TestClient, name: str) -> None:
    """A forwarded port makes the browser's address differ from ours."""
    assert (await client.get("/queue", headers={"Host": name, "Origin": f"http://{name}"})).status == 200


@pytest.mark.parametrize(("method", "path"), REQUESTS)
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://x@{host}",
        "http://{host}.evil",
        "",
        "{host}",
    ],
)
async def test_no_foreign_page_is_answered_to(client: TestClient, method: str, path: str, origin: str) -> None:
    response = await client.request(method, path, headers={"Origin": origin.format(host=host(client))})
    assert response.status == 403
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_no_foreign_page_opens_a_websocket(client: TestClient, headers: dict[str, str]) -> None:
    response = await client.get("/ws", headers=WEBSOCKET | headers)
    assert response.status in (403, 421)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
async def test_a_request_that_a_foreign_page_makes_without_naming_itself_is_refused(
    client: TestClient, site: str
) -> None:
    for path in ("/queue", "/view?filename=x.png", "/"):
        assert (await client.get(path, headers={"Sec-Fetch-Site": site})).status == 403


async def test_a_link_to_the_editor_may_be_followed(client: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert (await client.get("/", headers=headers)).status == 200
    assert (await client.get("/queue", headers=headers)).status == 403
    assert (await client.get("/", headers=headers | {"Sec-Fetch-Dest": "iframe"})).status == 403


async def test_the_own_page_is_answered_to(client: TestClient) -> None:
    headers = {"Origin": f"http://{host(client)}", "Sec-Fetch-Site": "same-origin"}
    assert (await client.post("/interrupt", headers=headers)).status == 200


async def test_a_request_needs_exactly_one_host(client: TestClient) -> None:
    for lines in (b"", b"Host: localhost\r\nHost: evil.example\r\n", b"Host: \r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(b"GET /queue HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        assert answer.split(b" ")[1] == b"400", answer


async def test_a_host_in_the_request_line_is_refused(client: TestClient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"GET http://evil.example/queue HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).split(b" ")[1] == b"400"
    writer.close()


@pytest.mark.parametrize(
    "start",
    [
        b"GET /queue HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /queue HTTP/1.1\r\nHost: localhost\r\n\r\nGET /queue HTTP/1.1\r\nHost: local",
        b"POST /queue HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
    ],
)
async def test_connections_that_send_nothing_more_are_closed(make: Make, start: bytes) -> None:
    client = await make(idle_seconds=0.2, read_seconds=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(start)
    answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.split(b" ")[1] in (b"200", b"408")
    writer.close()


async def test_an_open_websocket_is_no_idle_connection(make: Make, engine: FakeEngine) -> None:
    client = await make(idle_seconds=0.1)
    socket = await client.ws_connect("/ws?clientId=me")
    await asyncio.sleep(0.5)
    engine.tell(QueueChanged(3))
    received = [(await socket.receive_json(timeout=5))["type"] for _ in range(3)]
    assert received == ["status", "worker", "status"]


async def test_every_answer_tells_browsers_what_they_may_do(client: TestClient) -> None:
    for path in ("/", "/queue", "/nowhere", "/assets/index-abc.js", "/view?filename=none.png"):
        headers = (await client.get(path)).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe-eval" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Server" not in headers
        assert headers["Cache-Control"]


@pytest.fixture
def make(engine: FakeEngine, paths: Paths, settings: ServerSettings, aiohttp_client: Make) -> Make:
    return lambda **changes: aiohttp_client(create_app(engine, paths, replace(settings, **changes)))


async def test_names_may_be_allowed(make: Make) -> None:
    client = await make(allowed_hosts=frozenset({"box.lan"}))
    assert (await client.get("/queue", headers={"Host": "box.lan:8188"})).status == 200
    assert (await client.get("/queue", headers={"Host": "192.168.1.9:8188"})).status == 421


async def test_a_server_that_listens_everywhere_answers_to_addresses_but_not_to_names(make: Make) -> None:
    client = await make(any_address=True)
    for name, status in (("192.168.1.9:8188", 200), ("[fe80::1]", 200), ("rebound.evil", 421), ("1.2.3.4.evil", 421)):
        assert (await client.get("/queue", headers={"Host": name})).status == status


async def test_one_other_origin_may_be_allowed(make: Make) -> None:
    client = await make(cors_origin="https://app.example")
    for origin, status in (("https://app.example", 200), ("https://evil.example", 403), ("null", 403)):
        response = await client.post("/interrupt", headers={"Origin": origin})
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    preflight = await client.options("/prompt", headers={"Origin": "https://app.example"})
    assert preflight.status == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert (await client.get("/queue", headers={"Host": "rebound.evil", "Origin": "https://app.example"})).status == 421


async def test_all_routes_of_the_application_pass_the_guard(
    engine: FakeEngine, paths: Paths, settings: ServerSettings
) -> None:
    app = create_app(engine, paths, settings)
    addresses = {
        (route.method, route.resource.canonical.replace("{", "").replace("}", ""))
        for route in app.router.routes()
        if route.resource is not None
    }
    assert len(addresses) > 60
    async with TestServer(app) as server, ClientSession() as session:
        for method, path in addresses:
            response = await session.request(method, server.make_url(path), headers={"Host": "rebound.evil"})
            assert response.status == 421, (method, path)


async def test_unknown_methods_and_addresses_are_told_in_json(client: TestClient) -> None:
    response = await client.put("/queue")
    assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD,POST")
    assert "PUT" in (await response.json())["error"]
    response = await client.get("/interrupt")
    assert response.status == 405
    response = await client.get("/api/nowhere")
    assert (response.status, await response.json()) == (404, {"error": "There is nothing at this address."})


def test_the_guard_comes_first(engine: FakeEngine, paths: Paths, settings: ServerSettings) -> None:
    app: web.Application = create_app(engine, paths, settings)
    assert list(app.middlewares) == [guard, explain, pass_on]
