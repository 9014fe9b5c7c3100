"""The editor queues its document as it is; the server derives the graph."""

from typing import Any

from aiohttp.test_utils import TestClient

from tests.web.fake_engine import FakeEngine


def workflow(type: str = "Seed") -> dict[str, Any]:
    node = {
        "id": 1,
        "type": type,
        "pos": [0, 0],
        "size": [200, 100],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "properties": {},
        "widgets_values": [7, "randomize", "x.png", "image"],
    }
    return {
        "last_node_id": 1,
        "last_link_id": 0,
        "nodes": [node],
        "links": [],
        "groups": [],
        "config": {},
        "version": 0.4,
    }


async def test_a_workflow_is_queued_as_its_graph_and_kept_for_the_pictures(
    client: TestClient, engine: FakeEngine
) -> None:
    body = {"workflow": workflow(), "client_id": "me", "extra_data": {"extra_pnginfo": {"note": "x"}, "preview": 1}}
    response = await client.post("/api/prompt", json=body)
    assert response.status == 200, await response.text()
    [submission] = engine.submissions
    assert submission.graph["1"]["class_type"] == "Seed"
    assert submission.graph["1"]["inputs"] == {"seed": 7, "image": "x.png"}
    assert submission.extra_data["extra_pnginfo"] == {"note": "x", "workflow": workflow()}
    assert submission.extra_data["preview"] == 1


async def test_a_workflow_can_be_checked_without_queueing_it(client: TestClient, engine: FakeEngine) -> None:
    good = await (await client.post("/weft/graph", json={"workflow": workflow()})).json()
    assert good["graph"]["1"]["inputs"] == {"seed": 7, "image": "x.png"}
    assert (good["node_errors"], good["error"]) == ({}, None)
    bad = await (await client.post("/weft/graph", json={"workflow": workflow("Nowhere")})).json()
    assert bad["graph"]["1"]["class_type"] == "Nowhere"
    assert bad["error"]["type"] == "prompt_no_outputs"
    assert set(bad["node_errors"]) == {"1"}
    assert engine.submissions == []


async def test_what_is_no_workflow_is_told_on_both_routes(client: TestClient) -> None:
    for document in ({"nodes": 5}, {"nodes": [5]}, {"nodes": [], "links": "x"}):
        response = await client.post("/prompt", json={"workflow": document})
        assert response.status == 400
        assert (await response.json())["error"]["message"]
        checked = await client.post("/weft/graph", json={"workflow": document})
        assert (await checked.json())["error"]["message"]
