"""Jobs are shown, taken out and forgotten as ComfyUI's clients ask."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from execution import events
from execution.engine import HistoryEntry, Job
from execution.json_text import JsonText
from tests.web.fake_engine import FakeEngine

GRAPH = {"1": {"class_type": "Seed", "inputs": {}}}


def job(id: str, state: Any = "succeeded", **fields: Any) -> Job:
    extra_data = JsonText.of({"create_time": 1000, "client_id": "me"})
    return Job(id, 3.0, JsonText.of(GRAPH), ("1",), extra_data, "me", state, created=1000, **fields)


def entry(id: str) -> HistoryEntry:
    told = (events.JobStarted(id, "me", 1), events.NodesCached(id, "me", ("2",), 2), events.JobSucceeded(id, "me", 3))
    return HistoryEntry(job(id), {"1": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}, told)


async def test_running_and_waiting_jobs_are_shown_apart(client: TestClient, engine: FakeEngine) -> None:
    engine.running, engine.waiting = [job("a", "running")], [job("b", "pending")]
    shown = await (await client.get("/queue")).json()
    assert shown["queue_running"] == [[3.0, "a", GRAPH, {"create_time": 1000, "client_id": "me"}, ["1"]]]
    assert [item[1] for item in shown["queue_pending"]] == ["b"]


async def test_a_queue_of_any_length_is_shown_whole(client: TestClient, engine: FakeEngine) -> None:
    large = replace(job("x", "pending"), extra_data=JsonText.of({"workflow": "w" * 50_000}))
    engine.waiting = [replace(large, id=str(number)) for number in range(21)]
    shown = await (await client.get("/queue")).json()
    assert [item[1] for item in shown["queue_pending"]] == [str(number) for number in range(21)]


async def test_waiting_jobs_can_be_taken_out(client: TestClient, engine: FakeEngine) -> None:
    engine.waiting = [job("a"), job("b"), job("c")]
    assert (await client.post("/queue", json={"delete": ["a", "unknown"]})).status == 200
    assert [one.id for one in engine.waiting] == ["b", "c"]
    assert (await client.post("/api/queue", json={"clear": True})).status == 200
    assert engine.waiting == []


async def test_history_has_the_form_that_clients_read(client: TestClient, engine: FakeEngine) -> None:
    engine.ended = [entry("a")]
    assert await (await client.get("/history/a")).json() == {
        "a": {
            "prompt": [3.0, "a", GRAPH, {"create_time": 1000, "client_id": "me"}, ["1"]],
            "outputs": {"1": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}},
            "status": {
                "status_str": "success",
                "completed": True,
                "messages": [
                    ["execution_start", {"prompt_id": "a", "timestamp": 1}],
                    ["execution_cached", {"nodes": ["2"], "prompt_id": "a", "timestamp": 2}],
                    ["execution_success", {"prompt_id": "a", "timestamp": 3}],
                ],
            },
            "meta": {"1": {"node_id": "1", "display_node": "1", "parent_node": None, "real_node_id": "1"}},
        }
    }
    assert await (await client.get("/history/none")).json() == {}


async def test_history_tells_where_an_expanded_node_comes_from(client: TestClient, engine: FakeEngine) -> None:
    placed = events.NodePlaced("a", "me", "1", "5", "6", "7")
    engine.ended = [replace(entry("a"), events=(placed,))]
    told = (await (await client.get("/history/a")).json())["a"]
    assert told["meta"] == {"1": {"node_id": "1", "display_node": "6", "parent_node": "5", "real_node_id": "7"}}
    assert told["status"]["messages"] == []


@pytest.mark.parametrize(
    ("query", "ids"),
    [("", "abc"), ("?max_items=2", "bc"), ("?max_items=2&offset=0", "ab"), ("?offset=1", "bc"), ("?offset=-1", "abc")],
)
async def test_history_is_paged_from_the_oldest(client: TestClient, engine: FakeEngine, query: str, ids: str) -> None:
    engine.ended = [entry(id) for id in "abc"]
    assert list(await (await client.get(f"/history{query}")).json()) == list(ids)


async def test_history_can_be_forgotten(client: TestClient, engine: FakeEngine) -> None:
    engine.ended = [entry(id) for id in "abc"]
    await client.post("/history", json={"delete": ["b"]})
    assert [one.job.id for one in engine.ended] == ["a", "c"]
    await client.post("/history", json={"clear": True})
    assert engine.ended == []


async def test_interrupt_may_name_a_job(client: TestClient, engine: FakeEngine) -> None:
    assert (await client.post("/interrupt")).status == 200
    assert (await client.post("/interrupt", json={"prompt_id": "a"})).status == 200
    assert engine.interrupted == [None, "a"]


async def test_free_passes_both_wishes_on(client: TestClient, engine: FakeEngine) -> None:
    assert (await client.post("/free", json={"unload_models": True})).status == 200
    assert (await client.post("/free", json={"unload_models": True, "free_memory": True})).status == 200
    assert engine.freed == [(True, False), (True, True)]


@pytest.mark.parametrize("path", ["/queue", "/history", "/interrupt", "/free"])
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"delete": 5, "prompt_id": 5, "unload_models": 5}', b'{"clear": "yes", "prompt_id": []}']
)
async def test_a_bad_body_is_a_bad_request(client: TestClient, path: str, body: bytes) -> None:
    response = await client.post(path, data=body)
    assert response.status in (200, 400)
    if path != "/free" or not body.startswith(b'{"clear'):
        assert response.status == 400
        assert (await response.json())["error"]


@pytest.mark.parametrize("query", ["max_items=x", "offset=1.5", "max_items="])
async def test_a_bad_page_is_a_bad_request(client: TestClient, query: str) -> None:
    assert (await client.get(f"/history?{query}")).status == 400
