"""A host of fake nodes, as the worker loads it by name."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodes.context import Home
from nodes.spec import NodeSpec
from tests.execution import fake_nodes

HOST = "tests.execution.fake_host:load"


class FakeFiles:
    """Two checkpoints and one picture that is not offered."""

    def choices(self, folder: str) -> Sequence[str]:
        return ["a.safetensors", "sub/b.safetensors"] if folder == "checkpoints" else ["offered.png"]

    def has(self, folder: str, name: str) -> bool:
        return name == "old/hidden.png"


@dataclass(frozen=True)
class FakeHost:
    """Nodes without torch."""

    specs: Mapping[str, NodeSpec]
    failures: Mapping[str, str] = field(default_factory=dict)

    web_directories: Mapping[str, Path] = field(default_factory=dict)
    pack_socket: Path | None = None

    def refresh(self) -> Mapping[str, NodeSpec]:
        return {}

    def device_stats(self) -> Mapping[str, Any]:
        return {"devices": [{"name": "fake"}]}

    def release(self) -> None:
        """Nothing is held."""


def load(home: Home | None = None) -> FakeHost:
    return FakeHost(fake_nodes.load(), {"broken_pack": "Traceback: no"})


def load_badly(home: Home) -> FakeHost:
    raise ImportError("no module named nothing")


def load_talking(home: Home) -> FakeHost:
    """Logs as packs do: by the logging of the root, and by loggers of their own."""
    logging.info("of the root")
    logging.getLogger("a.pack").debug("of no interest")
    logging.getLogger("a.pack").info("of a pack")
    return load()


def load_once(home: Home) -> FakeHost:
    """Ends the process until a file is there."""
    if not os.path.exists(os.environ["WEFT_TEST_FLAG"]):
        os._exit(7)
    return load()
