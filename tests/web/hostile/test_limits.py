"""Every limit admits what reaches it, and refuses one more by its name."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import WSMsgType

from execution.graph import GraphLimits
from execution.validation import MOST_PROBLEMS
from execution.work import MOST_PIXELS
from flags import parse
from tests.execution.graphs import graph, shown
from tests.web.hostile.conftest import Server
from web.server import strict_json, websocket
from web.server.keys import SETTINGS
from web.server.requests import LONGEST_ID

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS = GraphLimits(nodes=30, links=110, inputs_per_node=20)


@pytest.fixture(scope="module")
def graph_limits() -> GraphLimits:
    return LIMITS


async def test_the_limits_are_those_that_are_told(server: Server) -> None:
    assert GraphLimits() == GraphLimits(
        nodes=20_000, links=100_000, inputs_per_node=20_000, depth=64, text=1 << 20, key=256
    )
    assert server.client.app is not None
    assert server.client.app[SETTINGS].max_json_bytes == 8 << 20
    assert (MOST_PIXELS, MOST_PROBLEMS, LONGEST_ID) == (1 << 28, 100, 128)
    assert (websocket.LARGEST_MESSAGE, websocket.MOST_SOCKETS) == (64 * 1024, 200)
    flags = parse([])
    assert (flags.graph_limit, flags.queue_limit, flags.history_limit) == (20_000, 5_000, 10_000)


def nodes(count: int) -> dict[str, Any]:
    return shown(1) | {f"n{n}": {"class_type": "Make", "inputs": {}} for n in range(count - 2)}


def links(count: int) -> dict[str, Any]:
    """Three nodes with so many links from a fourth."""
    inputs = [[f"x{n}" for n in range(start, min(start + 20, count))] for start in range(0, count, 20)]
    gathers = {
        f"g{n}": {"class_type": "Gather", "inputs": {x: ["m", 0] for x in names}} for n, names in enumerate(inputs)
    }
    return graph(m=("Make", {})) | gathers


def inputs(count: int) -> dict[str, Any]:
    return graph(g=("Gather", {f"x{n}": n for n in range(count)}))


def text(length: int) -> dict[str, Any]:
    return graph(s=("Say", {"text": "x" * length}))


def title(length: int) -> dict[str, Any]:
    return {"1": {"class_type": "Say", "inputs": {"text": ""}, "_meta": {"title": "x" * length}}}


def node_id(length: int) -> dict[str, Any]:
    return {"x" * length: {"class_type": "Say", "inputs": {"text": ""}}}


def input_name(length: int) -> dict[str, Any]:
    return graph(g=("Gather", {"x" * length: 1}))


@pytest.mark.parametrize(
    ("make", "limit", "message"),
    [
        (nodes, LIMITS.nodes, "The graph has 31 nodes; the limit is 30."),
        (links, LIMITS.links, "The graph has 111 links; the limit is 110."),
        (inputs, LIMITS.inputs_per_node, "Node g has 21 inputs; the limit is 20."),
        (text, LIMITS.text, "The input text of node s has 1048577 characters; the limit is 1048576."),
        (title, LIMITS.text, "The _meta of node 1 has 1048577 characters; the limit is 1048576."),
        (node_id, LIMITS.key, "A node id has 257 characters; the limit is 256."),
        (input_name, LIMITS.key, "The name of an input of node g has 257 characters; the limit is 256."),
    ],
)
async def test_a_graph_at_a_limit_runs_and_one_over_it_is_refused(
    server: Server, make: Callable[[int], dict[str, Any]], limit: int, message: str
) -> None:
    for size in (limit - 1, limit):
        response = await server.client.post("/prompt", json={"prompt": make(size)})
        assert response.status == 200, await response.text()
    sent = await server.queue(make(limit + 1))
    assert (sent.status, sent.type, sent.message) == (400, "invalid_prompt", message)


async def test_a_type_at_the_limit_is_looked_for_and_a_longer_one_is_not(server: Server) -> None:
    for length, type in ((256, "missing_node_type"), (257, "invalid_prompt")):
        sent = await server.queue(graph(g=("x" * length, {})))
        assert (sent.status, sent.type) == (400, type)
    assert sent.message == "The class_type of node g has 257 characters; the limit is 256."


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
async def test_a_body_is_at_most_64_levels_deep(server: Server, opening: str, closing: str) -> None:
    for levels, status in ((63, 200), (64, 200), (65, 400)):
        inner = opening * (levels - 1) + closing.rjust(2, "1") + closing * (levels - 2)
        body = f'{{"prompt": {json.dumps(shown(1))}, "extra": {inner}}}'
        sent = await server.send(body.encode())
        assert sent.status == status, levels
        await server.post({"clear": True}, "/queue")
    assert sent.message == "The body is nested deeper than 64 levels."


async def test_a_body_is_at_most_8_mebibytes_long(server: Server) -> None:
    body = strict_json.dumps({"prompt": shown(1)}).encode()
    for length, status in ((8 << 20, 200), ((8 << 20) + 1, 413)):
        sent = await server.send(body.ljust(length))
        assert sent.status == status
    assert (sent.type, sent.message) == ("request_too_large", "The body is larger than 8388608 bytes.")


@pytest.mark.parametrize(
    ("size", "status"), [((16384, 16384, 1), 200), ((16384, 8192, 2), 200), ((16384, 16384, 2), 400)]
)
async def test_pixels_of_one_node(server: Server, size: tuple[int, int, int], status: int) -> None:
    sent = await server.queue(graph(b=("Blank", dict(zip(("width", "height", "batch_size"), size, strict=True)))))
    assert sent.status == status
    if status == 400:
        [problem] = sent.said["node_errors"]["b"]["errors"]
        assert (problem["type"], "at most 268,435,456" in problem["details"]) == ("work_too_large", True)


@pytest.mark.parametrize("count", [99, 100, 101])
async def test_a_hundred_problems_are_told_and_the_others_counted(server: Server, count: int) -> None:
    """Each of these nodes has a dozen links that lead nowhere."""
    sent = await server.queue(
        {
            f"g{start}": {
                "class_type": "Gather",
                "inputs": {f"x{n}": ["gone", n] for n in range(start, min(start + 12, count))},
            }
            for start in range(0, count, 12)
        }
    )
    assert sum(len(node["errors"]) for node in sent.said["node_errors"].values()) == min(count, 100)
    assert sent.said["error"]["details"] == ("1 more problems are not listed" if count > 100 else "")


async def test_jobs_that_wait(server: Server) -> None:
    slow = graph(s=("Steps", {"count": 1000, "milliseconds": 10}), out=("Show", {"x": ["s", 0]}))
    running = (await server.queue(slow)).said["prompt_id"]
    while not (await server.read("/queue"))["queue_running"]:
        await asyncio.sleep(0.005)
    assert [(await server.queue(shown(n))).status for n in range(20)] == [200] * 20
    sent = await server.queue(shown(3))
    assert (sent.status, sent.type, sent.message) == (
        429, "queue_full", "20 jobs wait already. Try again when some have run.",
    )  # fmt: skip
    await server.post({"clear": True}, "/queue")
    await server.post({"prompt_id": running}, "/interrupt")
    await server.ended(running)


@pytest.mark.parametrize("name", ["client_id", "prompt_id"])
async def test_ids_are_at_most_128_characters_long(server: Server, name: str) -> None:
    sent = await server.queue(shown(1), client_id="x" * 128)
    assert sent.status == 200
    sent = await server.queue(shown(1), **{name: "x" * 129})
    assert (sent.status, sent.message) == (400, f'"{name}" is longer than 128 characters.')


async def test_the_id_of_a_socket_is_at_most_128_characters_long(server: Server) -> None:
    async with server.client.ws_connect("/ws?clientId=" + "x" * 128) as socket:
        assert (await socket.receive_json())["data"]["sid"] == "x" * 128
    response = await server.client.get("/ws?clientId=" + "x" * 129)
    assert (response.status, await response.json()) == (400, {"error": '"clientId" is longer than 128 characters.'})


async def test_a_message_is_at_most_64_kibibytes_long(server: Server) -> None:
    for length, is_open in ((64 * 1024, True), (64 * 1024 + 1, False)):
        socket = await server.client.ws_connect("/ws?clientId=me")
        await socket.send_str("x" * length)
        await socket.send_json({"type": "feature_flags", "data": {}})
        types = [(await socket.receive()).type for _ in range(3)]
        assert (types == [WSMsgType.TEXT] * 3) is is_open
        assert is_open or socket.close_code == 1009
        await socket.close()


async def test_two_hundred_sockets(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MOST_SOCKETS", 2)
    sockets = [await server.client.ws_connect(f"/ws?clientId={n}") for n in range(2)]
    response = await server.client.get("/ws?clientId=2")
    assert (response.status, await response.json()) == (503, {"error": "2 clients are connected already."})
    for socket in sockets:
        await socket.close()
