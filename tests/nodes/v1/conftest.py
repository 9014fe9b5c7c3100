"""Packs in the style of popular ones, loaded into a worker of their own and run by the real executor."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from execution.cache import Cache
from execution.events import Event, NodeFinished, Outcome
from execution.executor import Executor
from execution.json_text import JsonText
from execution.run import Run
from nodes.context import Context, Home, Services, WorkerSettings
from nodes.paths import Paths
from nodes.registry import Registry, load_builtin
from nodes.v1.loading import CustomNodes

ROOT = Path(__file__).parents[3]
PACKS = Path(__file__).parent / "packs"


@dataclass
class Bench:
    """Some packs beside our own nodes, and an executor that runs graphs of both."""

    paths: Paths
    registry: Registry
    custom: CustomNodes
    services: Services
    messages: list[tuple[str, Any, str | None]]
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        context = Context("", self.paths, WorkerSettings(), self.services)
        self.executor = Executor(self.registry, Cache(), context, self.events.append, lambda job_id: False)

    def run(self, graph: Mapping[str, Any], *targets: str, **extra_data: Any) -> Outcome:
        return self.executor.run(Run("job", "client", JsonText.of(graph), targets, JsonText.of(extra_data)))

    def shown(self, graph: Mapping[str, Any], target: str) -> Any:
        """What an output node has shown."""
        self.events.clear()
        outcome = self.run(graph, target)
        assert type(outcome).__name__ == "JobSucceeded", outcome
        return next(one.ui for one in self.events if isinstance(one, NodeFinished) and one.node_id == target)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes a bench with these packs; the modules that they import are taken away again afterwards."""
    yield from benches(Paths.below(tmp_path / "base", tmp_path / "bundled"))


@pytest.fixture
def bench_with_model(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """The same, with the checkpoint that comes with the program."""
    yield from benches(Paths.below(tmp_path / "base", ROOT / "bundled"))


def benches(paths: Paths) -> Iterator[Callable[..., Bench]]:
    """Yields what makes benches with packs in these folders, and closes them afterwards."""
    benches: list[Bench] = []
    paths.prepare()

    def make(*packs: str, settings: WorkerSettings | None = None) -> Bench:
        for name in packs:
            source, place = PACKS / name, paths.custom_nodes / name.removesuffix(".txt")
            shutil.copytree(source, place) if source.is_dir() else shutil.copy(source, place)
        registry, services = load_builtin(), Services()
        messages: list[tuple[str, Any, str | None]] = []
        home = Home(paths, settings or WorkerSettings(), services, lambda *message: messages.append(message))
        benches.append(Bench(paths, registry, CustomNodes(home, registry), services, messages))
        return benches[-1]

    yield make
    for one in benches:
        one.custom.close()


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}
