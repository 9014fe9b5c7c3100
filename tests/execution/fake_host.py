"""A host of fake nodes, as the worker loads it by name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodes.spec import NodeSpec
from tests.execution import fake_nodes


@dataclass(frozen=True)
class FakeHost:
    """Nodes without torch."""

    specs: Mapping[str, NodeSpec]
    failures: Mapping[str, str] = field(default_factory=dict)

    def device_stats(self) -> Mapping[str, Any]:
        return {"devices": [{"name": "fake"}]}

    def release(self) -> None:
        """Nothing is held."""


def load() -> FakeHost:
    return FakeHost(fake_nodes.load(), {"broken_pack": "Traceback: no"})


def load_badly() -> FakeHost:
    raise ImportError("no module named nothing")


def load_once() -> FakeHost:
    """Ends the process until a file is there."""
    if not os.path.exists(os.environ["WEFT_TEST_FLAG"]):
        os._exit(7)
    return load()
