"""POST /prompt answers as ComfyUI's clients expect, and never worse than 400 for what they send."""

import time
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from execution.engine import KeyTakenError, StoreError, StoreFullError, WorkerStatus
from tests.web.fake_engine import FakeEngine

GRAPH = {"1": {"class_type": "Seed", "inputs": {}}}
UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


@pytest.mark.parametrize("path", ["/prompt", "/api/prompt"])
async def test_a_graph_is_queued(client: TestClient, engine: FakeEngine, path: str) -> None:
    body = {"prompt": GRAPH, "client_id": "me", "extra_data": {"extra_pnginfo": {"workflow": {"id": "w"}}}}
    response = await client.post(path, json=body)
    assert response.status == 200
    assert await response.json() == {"prompt_id": "job-1", "number": 1, "node_errors": {}}
    [submission] = engine.submissions
    assert (submission.graph, submission.client_id) == (GRAPH, "me")
    created = submission.extra_data["create_time"]
    assert abs(created - time.time() * 1000) < 60_000
    assert submission.extra_data == body["extra_data"] | {"client_id": "me", "create_time": created}
    assert await (await client.get(path)).json() == {"exec_info": {"queue_remaining": 1}}


async def test_the_type_of_the_body_is_not_asked(client: TestClient) -> None:
    """Scripts that post with Python's urllib send JSON as a form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post("/prompt", data=b'{"prompt": {"1": {"class_type": "Seed"}}}', headers=headers)
    assert response.status == 200


async def test_all_that_a_client_may_wish_reaches_the_engine(client: TestClient, engine: FakeEngine) -> None:
    body = {"prompt": GRAPH, "prompt_id": UUID, "number": -5.5, "front": True, "partial_execution_targets": ["1"]}
    assert (await client.post("/prompt", json=body)).status == 200
    [submission] = engine.submissions
    assert (submission.job_id, submission.number, submission.front, submission.targets) == (UUID, -5.5, True, ("1",))


async def test_an_invalid_graph_is_answered_with_its_problems(client: TestClient) -> None:
    response = await client.post("/prompt", json={"prompt": {"7": {"class_type": "Nowhere", "inputs": {}}}})
    assert response.status == 400
    answer = await response.json()
    assert answer["error"]["type"] == "prompt_no_outputs"
    assert set(answer["error"]) == {"type", "message", "details", "extra_info"}
    [(node_id, node)] = answer["node_errors"].items()
    assert (node_id, node["class_type"]) == ("7", "Nowhere")
    assert node["errors"][0]["type"] == "missing_node_type"


@pytest.mark.parametrize(
    ("fields", "type"),
    [
        ({}, "no_prompt"),
        ({"prompt": {}}, "prompt_no_outputs"),
        ({"prompt": GRAPH, "prompt_id": "not a uuid"}, "invalid_prompt_id"),
        ({"prompt": GRAPH, "prompt_id": UUID.upper()}, "invalid_prompt_id"),
        ({"prompt": GRAPH, "prompt_id": "x" * 1_000_000}, "bad_request"),
        ({"prompt": GRAPH, "client_id": [1]}, "bad_request"),
        ({"prompt": GRAPH, "client_id": {}}, "bad_request"),
        ({"prompt": GRAPH, "client_id": "x" * 129}, "bad_request"),
        ({"prompt": GRAPH, "extra_data": None}, "bad_request"),
        ({"prompt": GRAPH, "extra_data": []}, "bad_request"),
        ({"prompt": GRAPH, "extra_data": {"extra_pnginfo": 5}}, "bad_request"),
        ({"prompt": GRAPH, "number": "x"}, "bad_request"),
        ({"prompt": GRAPH, "number": True}, "bad_request"),
        ({"prompt": GRAPH, "front": "yes"}, "bad_request"),
        ({"prompt": GRAPH, "partial_execution_targets": 5}, "bad_request"),
        ({"prompt": GRAPH, "partial_execution_targets": [5]}, "bad_request"),
        ({"workflow": []}, "bad_request"),
        ({"workflow": None}, "bad_request"),
    ],
)
async def test_a_field_of_the_wrong_kind_is_refused(
    client: TestClient, engine: FakeEngine, fields: dict[str, Any], type: str
) -> None:
    response = await client.post("/prompt", json=fields)
    assert response.status == 400
    answer = await response.json()
    assert answer["error"]["type"] == type
    assert answer["error"]["message"]
    assert answer["node_errors"] == {}
    assert engine.submissions == []


async def test_a_full_queue_says_when_to_come_back(client: TestClient, engine: FakeEngine) -> None:
    engine.capacity = 0
    response = await client.post("/prompt", json={"prompt": GRAPH})
    assert response.status == 429
    assert response.headers["Retry-After"]
    assert (await response.json())["error"]["type"] == "queue_full"


async def test_a_key_that_belongs_to_another_job_is_a_conflict(client: TestClient, engine: FakeEngine) -> None:
    engine.crash = KeyTakenError("The id x belongs to another job.")
    response = await client.post("/prompt", json={"prompt": GRAPH, "prompt_id": UUID})
    assert response.status == 409
    assert (await response.json())["error"]["type"] == "prompt_id_taken"


async def test_the_digest_tells_what_was_asked_for_and_not_how_it_was_written(
    client: TestClient, engine: FakeEngine
) -> None:
    for body in (
        {"prompt": GRAPH, "prompt_id": UUID},
        {"prompt_id": UUID, "front": True, "prompt": {"1": {"inputs": {}, "class_type": "Seed"}}},
        {"prompt": {"1": {"class_type": "Seed", "inputs": {"seed": 1}}}, "prompt_id": UUID},
        {"prompt": GRAPH},
    ):
        assert (await client.post("/prompt", json=body)).status == 200
    first, same, other, without_key = (one.digest for one in engine.submissions)
    assert first == same != other
    assert without_key is None


@pytest.mark.parametrize(("error", "status"), [(StoreFullError("full"), 507), (StoreError("read-only"), 500)])
async def test_a_disk_that_takes_no_job_is_named(
    client: TestClient, engine: FakeEngine, error: Exception, status: int
) -> None:
    engine.crash = error
    response = await client.post("/prompt", json={"prompt": GRAPH})
    assert response.status == status
    assert (await response.json())["error"]["message"] == str(error)


async def test_an_unforeseen_error_is_told_without_details(client: TestClient, engine: FakeEngine) -> None:
    engine.crash = RuntimeError("/secret/path")
    response = await client.post("/prompt", json={"prompt": GRAPH})
    assert response.status == 500
    assert "/secret" not in await response.text()
    assert "Traceback" not in await response.text()


async def test_a_worker_that_does_not_start_is_named(client: TestClient, engine: FakeEngine) -> None:
    engine.worker = WorkerStatus("failed", "torch is not installed")
    response = await client.get("/object_info")
    assert response.status == 503
    assert await response.json() == {"error": "torch is not installed"}
