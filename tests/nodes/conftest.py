"""A context whose folders lie in a temporary place."""

from pathlib import Path

import pytest

from nodes.context import Context, Services, WorkerSettings
from nodes.paths import Paths


@pytest.fixture
def context(tmp_path: Path) -> Context:
    paths = Paths.below(tmp_path / "base", tmp_path / "bundled")
    paths.prepare()
    return Context(
        node_id="7",
        paths=paths,
        settings=WorkerSettings(),
        services=Services(),
        graph={"7": {"class_type": "SaveImage", "inputs": {}}},
        extra_pnginfo={"workflow": {"nodes": [{"title": "그림"}]}},
    )
