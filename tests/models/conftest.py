"""One tiny checkpoint, written and loaded once for all tests that only look at it."""

from pathlib import Path

import pytest

from models.loading.load import Checkpoint, load_checkpoint
from models.memory import DevicePolicy
from tests.models.tiny_checkpoint import write_tiny_checkpoint


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny.safetensors")


@pytest.fixture(scope="session")
def tiny(tiny_file: Path) -> Checkpoint:
    return load_checkpoint(tiny_file, DevicePolicy.choose(cpu=True))
