"""Clients hear about their own jobs, in ComfyUI's words; a client that does not listen disturbs nobody."""

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient

from execution import events
from nodes.paths import Paths
from tests.web.fake_engine import FakeEngine
from web.server.app import create_app
from web.server.keys import SOCKETS
from web.server.settings import ServerSettings

GRAPH = {"1": {"class_type": "Seed", "inputs": {}}}


async def connected(client: TestClient, id: str = "me") -> ClientWebSocketResponse:
    socket = await client.ws_connect(f"/ws?clientId={id}")
    await received(socket, 2)
    return socket


async def received(socket: ClientWebSocketResponse, count: int) -> list[Any]:
    """The next messages: texts as JSON, binary ones as bytes."""
    messages = [await socket.receive(timeout=10) for _ in range(count)]
    return [one.data if one.type is WSMsgType.BINARY else json.loads(one.data) for one in messages]


async def test_the_first_message_is_the_status_with_the_id(client: TestClient, engine: FakeEngine) -> None:
    await client.post("/prompt", json={"prompt": GRAPH})
    socket = await client.ws_connect("/api/ws?clientId=me")
    assert await received(socket, 2) == [
        {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}, "sid": "me"}},
        {"type": "worker", "data": {"state": "ready", "detail": ""}},
    ]


async def test_a_client_without_an_id_is_given_one(client: TestClient) -> None:
    socket = await client.ws_connect("/ws")
    [status, _] = await received(socket, 2)
    assert len(status["data"]["sid"]) == 32


async def test_an_id_that_is_too_long_is_refused(client: TestClient) -> None:
    assert (await client.get(f"/ws?clientId={'x' * 129}")).status == 400
    assert (await client.get("/ws")).status == 400


async def test_a_run_is_told_in_order(client: TestClient, engine: FakeEngine) -> None:
    socket = await connected(client)
    engine.tell(
        events.QueueChanged(1),
        events.JobStarted("j", "me", 1),
        events.NodesCached("j", "me", ("1",), 2),
        events.NodeStarted("j", "me", "2"),
        events.NodeFinished("j", "me", "2", {"images": []}),
        events.JobSucceeded("j", "me", 3),
        events.QueueChanged(0),
        events.JobEnded("j", "me"),
    )
    messages = await received(socket, 9)
    assert [message["type"] for message in messages] == [
        "status",
        "execution_start",
        "execution_cached",
        "executing",
        "executed",
        "progress_state",
        "execution_success",
        "status",
        "executing",
    ]
    assert messages[-1]["data"] == {"node": None, "prompt_id": "j"}


async def test_jobs_are_told_only_to_their_client_and_the_queue_to_all(client: TestClient, engine: FakeEngine) -> None:
    mine, other = await connected(client, "me"), await connected(client, "other")
    engine.tell(
        events.JobStarted("j", "me", 1),
        events.JobStarted("k", None, 1),
        events.QueueChanged(7),
        events.JobInterrupted("j", "me", 2),
    )
    assert [one["type"] for one in await received(mine, 3)] == ["execution_start", "status", "execution_interrupted"]
    assert [one["type"] for one in await received(other, 2)] == ["status", "execution_interrupted"]


async def test_previews_name_their_node_only_for_clients_that_understand_it(
    client: TestClient, engine: FakeEngine
) -> None:
    old, new = await connected(client, "old"), await connected(client, "new")
    await new.send_json({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
    [flags] = await received(new, 1)
    assert flags == {
        "type": "feature_flags",
        "data": {"supports_preview_metadata": True, "max_upload_size": 100 * 1024 * 1024},
    }
    for id in ("old", "new"):
        engine.tell(events.NodePreview("j", id, "3", b"\xff\xd8jpeg"))
    assert await received(old, 1) == [struct.pack(">II", 1, 1) + b"\xff\xd8jpeg"]
    [frame] = await received(new, 1)
    kind, length = struct.unpack(">II", frame[:8])
    assert (kind, frame[8 + length :]) == (4, b"\xff\xd8jpeg")
    assert json.loads(frame[8 : 8 + length]) == {
        "node_id": "3",
        "prompt_id": "j",
        "display_node_id": "3",
        "parent_node_id": None,
        "real_node_id": "3",
        "image_type": "image/jpeg",
    }


async def test_a_client_that_comes_back_hears_where_its_job_is(client: TestClient, engine: FakeEngine) -> None:
    await connected(client)
    engine.tell(
        events.JobStarted("j", "me", 1),
        events.NodeStarted("j", "me", "3"),
        events.NodeProgress("j", "me", "3", 5, 20),
        events.NodePreview("j", "me", "3", b"jpeg"),
    )
    socket = await client.ws_connect("/ws?clientId=me")
    _, _, executing, state, preview = await received(socket, 5)
    assert executing == {"type": "executing", "data": {"node": "3", "display_node": "3", "prompt_id": "j"}}
    assert state["data"]["nodes"]["3"]["value"] == 5
    assert preview.endswith(b"jpeg")
    engine.tell(events.JobEnded("j", "me"))
    assert (await received(socket, 1))[0]["data"]["node"] is None
    again = await client.ws_connect("/ws?clientId=me")
    await received(again, 2)
    with pytest.raises(asyncio.TimeoutError):
        await again.receive(timeout=0.1)


async def test_a_second_connection_replaces_the_first_and_outlives_it(client: TestClient, engine: FakeEngine) -> None:
    first = await connected(client)
    second = await connected(client)
    assert (await first.receive(timeout=2)).type is WSMsgType.CLOSE
    await first.close()
    await until_there_are(client, 1)
    engine.tell(events.JobStarted("j", "me", 1))
    assert (await received(second, 1))[0]["type"] == "execution_start"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "5",
        "null",
        "[]",
        '{"type": 5}',
        '{"type": "feature_flags"}',
        '{"type": "feature_flags", "data": []}',
        "[" * 60_000,
    ],
)
async def test_what_a_client_should_not_say_is_ignored(client: TestClient, engine: FakeEngine, text: str) -> None:
    socket = await connected(client)
    await socket.send_str(text)
    await socket.send_bytes(b"\0\1\2")
    engine.tell(events.NodePreview("j", "me", "3", b"jpeg"), events.QueueChanged(3))
    preview, status = await received(socket, 2)
    assert preview[:4] == struct.pack(">I", 1)
    assert status["type"] == "status"


async def test_a_message_that_is_too_long_ends_the_connection(client: TestClient) -> None:
    socket = await connected(client)
    await socket.send_str("x" * (64 * 1024 + 1))
    assert (await socket.receive(timeout=2)).type is WSMsgType.CLOSE


async def test_pictures_for_the_client_are_all_sent_and_previews_only_the_latest(
    client: TestClient, engine: FakeEngine
) -> None:
    socket, modern = await connected(client), await connected(client, "new")
    await modern.send_json({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
    await received(modern, 1)
    for number in (b"1", b"2"):
        engine.tell(events.NodePreview("j", "me", "3", number), events.NodePicture("j", "me", "3", number))
    engine.tell(events.NodePicture("j", "new", "3", b"1"))
    assert await received(socket, 3) == [
        struct.pack(">II", 1, 2) + b"1",
        struct.pack(">II", 1, 1) + b"2",
        struct.pack(">II", 1, 2) + b"2",
    ]
    [frame] = await received(modern, 1)
    assert b'"image_type": "image/png"' in frame


def sockets_of(client: TestClient) -> int:
    """How many connections the server holds."""
    assert client.app is not None
    return len(client.app[SOCKETS])


async def until_there_are(client: TestClient, sockets: int) -> None:
    async with asyncio.timeout(60):
        while sockets_of(client) != sockets:
            await asyncio.sleep(0.01)


async def stalled(client: TestClient) -> asyncio.StreamWriter:
    """A connection that is opened and never read from."""
    before = sockets_of(client)
    _, writer = await asyncio.open_connection("127.0.0.1", client.port, limit=1)
    writer.write(
        b"GET /ws?clientId=deaf HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await until_there_are(client, before + 1)
    return writer


PICTURE = b"x" * 200_000


async def test_a_client_that_stops_reading_is_dropped(client: TestClient, engine: FakeEngine) -> None:
    writer = await stalled(client)
    engine.tell(*(events.NodePreview("j", "deaf", str(number), PICTURE) for number in range(100)))
    await until_there_are(client, 0)
    assert (await (await client.get("/weft/status")).json())["worker"]["state"] == "ready"
    writer.close()


async def test_a_client_that_stops_reading_delays_nobody(
    engine: FakeEngine, paths: Paths, settings: ServerSettings, aiohttp_client: Callable[..., Awaitable[TestClient]]
) -> None:
    """Others hear everything while the server still waits for it, which it does for longer than `received` does."""
    client = await aiohttp_client(create_app(engine, paths, replace(settings, socket_stall_seconds=30.0)))
    writer = await stalled(client)
    healthy = await connected(client, "healthy")
    for number in range(100):
        engine.tell(events.NodePreview("j", "deaf", str(number), PICTURE), events.QueueChanged(number))
        [status] = await received(healthy, 1)
        assert status["data"]["status"]["exec_info"]["queue_remaining"] == number
    assert sockets_of(client) == 2
    writer.close()


async def test_a_quiet_connection_is_kept_open_without_asking_for_answers(
    client: TestClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.server.sockets.Socket.__init__.__defaults__", (0.02,))
    socket = await client.ws_connect("/ws?clientId=me", autoping=False)
    await received(socket, 2)
    for _ in range(5):
        assert (await socket.receive(timeout=2)).type is WSMsgType.PING
    engine.tell(events.JobStarted("j", "me", 1))
    while (message := await socket.receive(timeout=2)).type is WSMsgType.PING:
        pass
    assert json.loads(message.data)["type"] == "execution_start"


async def test_a_long_burst_reaches_a_client_that_listens(client: TestClient, engine: FakeEngine) -> None:
    socket = await connected(client)
    for number in range(4000):
        shown = {"text": [str(number)]}
        engine.tell(events.NodeStarted("j", "me", str(number)), events.NodeFinished("j", "me", str(number), shown))
    engine.tell(events.JobEnded("j", "me"))
    executed = 0
    while True:
        [message] = await received(socket, 1)
        executed += message["type"] == "executed"
        if message["type"] == "executing" and message["data"]["node"] is None:
            break
    assert executed == 4000


async def test_connections_end_when_the_server_stops(client: TestClient) -> None:
    socket = await connected(client)
    await client.server.close()
    assert (await socket.receive(timeout=2)).type is WSMsgType.CLOSE
