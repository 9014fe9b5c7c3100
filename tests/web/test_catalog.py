"""What clients read of nodes, models and the machine."""

import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from execution.engine import WorkerStatus
from nodes.paths import Paths
from tests.web.fake_engine import FakeEngine


async def answer(client: TestClient, path: str) -> Any:
    response = await client.get(path)
    assert response.status == 200, await response.text()
    return await response.json()


async def test_every_node_is_described(client: TestClient) -> None:
    nodes = await answer(client, "/object_info")
    assert set(nodes) == {"CheckpointLoaderSimple", "CLIPTextEncode", "Seed"}
    assert nodes["Seed"]["input"] == {
        "required": {
            "seed": ["INT", {"default": 0, "min": 0, "max": 2**64 - 1, "step": 1, "control_after_generate": True}],
            "image": [[], {"image_upload": True}],
        },
        "optional": {"mask": ["MASK", {"tooltip": "Where.", "advanced": True}]},
        "hidden": {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
    }
    assert nodes["Seed"]["input_order"]["required"] == ["seed", "image"]


async def test_files_to_choose_from_are_listed_at_every_request(client: TestClient, paths: Paths) -> None:
    async def offered() -> list[str]:
        nodes = await answer(client, "/api/object_info/CheckpointLoaderSimple")
        return nodes["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0]

    assert await offered() == []
    (paths.base / "models" / "checkpoints" / "new.safetensors").write_bytes(b"")
    assert await offered() == ["new.safetensors"]
    assert await answer(client, "/object_info/Unknown") == {}


async def test_model_folders_and_their_files(client: TestClient, paths: Paths) -> None:
    (paths.base / "models" / "embeddings" / "sub").mkdir()
    (paths.base / "models" / "embeddings" / "sub" / "good.v2.safetensors").write_bytes(b"")
    assert {"checkpoints", "loras", "vae", "embeddings"} <= set(await answer(client, "/models"))
    assert await answer(client, "/models/embeddings") == ["sub/good.v2.safetensors"]
    assert await answer(client, "/embeddings") == ["sub/good.v2"]
    for folder in ("none", "..%2f..", "input"):
        assert (await client.get(f"/models/{folder}")).status == 404


def header(value: Any) -> bytes:
    text = json.dumps(value).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (header({"__metadata__": {"title": "x"}, "w": {}}), 200),
        (header({"w": {}}), 404),
        (header([]), 404),
        (header({"__metadata__": "text"}), 404),
        (b"", 404),
        (b"\1", 404),
        ((2**63).to_bytes(8, "little"), 404),
        ((200 * 1024 * 1024).to_bytes(8, "little"), 404),
        ((9).to_bytes(8, "little") + b"not json!", 404),
        ((10**5).to_bytes(8, "little") + b"[" * 10**5, 404),
        (b"<html>", 404),
    ],
)
async def test_metadata_of_a_model_is_read_from_its_header(
    client: TestClient, paths: Paths, content: bytes, status: int
) -> None:
    (paths.base / "models" / "loras" / "x.safetensors").write_bytes(content)
    response = await client.get("/view_metadata/loras?filename=x.safetensors")
    assert response.status == status
    if status == 200:
        assert await response.json() == {"title": "x"}


@pytest.mark.parametrize(
    "query", ["loras", "loras?filename=none.safetensors", "loras?filename=../x", "none?filename=x"]
)
async def test_metadata_of_what_is_no_model_is_not_found(client: TestClient, query: str) -> None:
    assert (await client.get(f"/view_metadata/{query}")).status in (400, 404)


async def test_the_machine_is_described_without_its_paths(client: TestClient, paths: Paths) -> None:
    stats = await answer(client, "/system_stats")
    assert stats["system"]["ram_total"] >= stats["system"]["ram_free"] > 0
    assert stats["system"]["comfyui_version"].count(".") == 2
    assert stats["devices"] == [{"name": "cpu", "type": "cpu", "index": 0}]
    assert "/" not in json.dumps(stats["system"]["argv"])


async def test_clients_find_a_device_while_the_worker_starts(client: TestClient, engine: FakeEngine) -> None:
    engine.devices = {}
    [device] = (await answer(client, "/system_stats"))["devices"]
    assert (device["type"], device["index"]) == ("cpu", None)
    assert device["vram_total"] >= device["vram_free"] > 0


async def test_features_extensions_and_status(client: TestClient, engine: FakeEngine) -> None:
    assert (await answer(client, "/features"))["supports_preview_metadata"] is True
    assert await answer(client, "/extensions") == []
    engine.worker = WorkerStatus("starting", "Loading torch")
    status = await answer(client, "/api/weft/status")
    assert status["worker"] == {"state": "starting", "detail": "Loading torch"}
    assert status["version"].count(".") == 2


async def test_the_default_workflow_is_the_bundled_one(client: TestClient, paths: Paths) -> None:
    assert (await client.get("/weft/default-workflow")).status == 404
    (paths.bundled / "workflows").mkdir(parents=True)
    (paths.bundled / "workflows" / "text_to_image.json").write_text('{"nodes": []}')
    assert await answer(client, "/weft/default-workflow") == {"nodes": []}
