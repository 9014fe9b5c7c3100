"""Engines with fake nodes, and a listener that waits for the ends of jobs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from execution.cache import Cache
from execution.dispatcher import Dispatcher
from execution.engine import HistoryEntry, Submission
from execution.engines.inline import inline_engine
from execution.engines.process import process_engine
from execution.events import Event, JobEnded, NodeStarted, Outcome
from execution.executor import Executor
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from nodes.context import Context, Services, WorkerSettings
from nodes.paths import Paths
from tests.execution import fake_nodes
from tests.execution.fake_host import HOST, FakeFiles


def is_alive(process_id: int) -> bool:
    """Whether a process runs; one that has ended and only waits to be buried does not."""
    try:
        return "Z" not in Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.below(tmp_path / "base", tmp_path / "bundled")


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def stopped() -> set[str]:
    """The ids of jobs that are to stop."""
    return set()


@pytest.fixture
def executor(paths: Paths, events: list[Event], stopped: set[str]) -> Executor:
    context = Context("", paths, WorkerSettings(), Services())
    return Executor(fake_nodes.load(), Cache(), context, events.append, stopped.__contains__)


class Watched:
    """An engine together with all events it has told."""

    def __init__(self, engine: Dispatcher) -> None:
        self.engine = engine
        self.events: list[Event] = []
        self.ended: set[str] = set()
        self._changed = asyncio.Event()
        engine.subscribe(self._note)

    def _note(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, JobEnded):
            self.ended.add(event.job_id)
        self._changed.set()

    async def until(self, condition: Callable[[], Any], timeout: float = 60) -> Any:
        """Waits for events until the condition holds, and returns what it gave."""
        async with asyncio.timeout(timeout):
            while not (found := condition()):
                self._changed.clear()
                await self._changed.wait()
            return found

    async def outcome(self, job_id: str) -> Outcome:
        """How a job ended, once it has left the queue."""
        await self.until(lambda: job_id in self.ended)
        return next(one for one in self.events if isinstance(one, Outcome) and one.job_id == job_id)

    async def node_started(self, node_id: str) -> None:
        await self.until(lambda: any(one.node_id == node_id for one in self.of(NodeStarted)))

    async def run(self, graph: dict[str, Any], **options: Any) -> Outcome:
        accepted = await self.engine.submit(Submission(graph, **options))
        return await self.outcome(accepted.job_id)

    async def history(self) -> Sequence[HistoryEntry]:
        """All jobs that have ended, oldest first."""
        return await self.engine.history(await self.engine.history_ids())

    async def entry(self, job_id: str) -> HistoryEntry | None:
        return next(iter(await self.engine.history([job_id])), None)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def settings(paths: Paths, files: FakeFiles) -> EngineSettings:
    return EngineSettings(paths.base, paths.user / "jobs.sqlite3", files, interrupt_grace=0.5)


@pytest.fixture
def setup(paths: Paths) -> WorkerSetup:
    return WorkerSetup(paths, host=HOST)


@pytest.fixture(params=["inline", "process"])
async def watched(
    request: pytest.FixtureRequest, settings: EngineSettings, setup: WorkerSetup
) -> AsyncIterator[Watched]:
    """An engine of each kind, with the same laws."""
    make = {"inline": inline_engine, "process": process_engine}[request.param]
    watched = Watched(make(settings, setup))
    await watched.engine.start()
    yield watched
    await watched.engine.stop()


@pytest.fixture
async def with_process(settings: EngineSettings, setup: WorkerSetup) -> AsyncIterator[Watched]:
    """An engine with a worker process."""
    watched = Watched(process_engine(settings, setup))
    await watched.engine.start()
    yield watched
    await watched.engine.stop()
