"""A spare worker is started in a quiet moment, takes over from one that ends, and is missed by nobody."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from execution.engine import Submission
from execution.engines.child import OnEnd
from execution.engines.process import ProcessWorker, process_engine
from execution.engines.spare import Spare
from execution.events import JobFailed, JobInterrupted, JobSucceeded, NodeStarted, WorkerChanged
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from tests.execution.conftest import Watched, is_alive
from tests.execution.graphs import graph, shown
from tests.execution.traced_host import HOST, TRACE

SOON = 0.01
"""Seconds of quiet until a spare is started here."""


class FakeChild:
    """A process that is none."""

    process_id = 1
    has_ended = False

    def __init__(self, on_end: OnEnd) -> None:
        self.die = lambda: on_end(self, "for a test")  # type: ignore[arg-type]

    async def end(self) -> None:
        self.has_ended = True


@pytest.fixture
def launched() -> list[FakeChild]:
    """All processes that were started, in order."""
    return []


@pytest.fixture
async def spare(launched: list[FakeChild]) -> Spare:
    def launch(on_end: OnEnd) -> Any:
        launched.append(FakeChild(on_end))
        return launched[-1]

    return Spare(launch, quiet=0)


async def quiet() -> None:
    """Lets time pass for everything that is due."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_spare_waits_until_every_worker_is_idle(spare: Spare, launched: list[FakeChild]) -> None:
    spare.busy("one")
    spare.busy("two")
    spare.idle("one")
    await quiet()
    assert launched == []
    spare.idle("two")
    spare.busy("one")
    await quiet()
    assert launched == [], "a job came before the moment was over"
    spare.idle("one")
    await quiet()
    assert len(launched) == 1


async def test_one_spare_serves_all_and_the_next_follows_when_it_is_quiet_again(
    spare: Spare, launched: list[FakeChild]
) -> None:
    for _ in range(3):
        spare.idle("one")
        spare.idle("two")
        await quiet()
    assert len(launched) == 1
    spare.busy("one")
    assert spare.take() is launched[0]
    assert spare.take() is None
    await quiet()
    assert len(launched) == 1
    spare.idle("one")
    await quiet()
    assert len(launched) == 2


async def test_a_spare_that_ends_by_itself_is_not_started_again_until_one_was_needed(
    spare: Spare, launched: list[FakeChild]
) -> None:
    spare.idle("one")
    await quiet()
    launched[0].die()
    spare.busy("one")
    spare.idle("one")
    await quiet()
    assert len(launched) == 1
    assert spare.take() is None
    spare.idle("one")
    await quiet()
    assert len(launched) == 2


async def test_nothing_is_started_after_the_end_or_if_it_is_not_wanted(spare: Spare, launched: list[FakeChild]) -> None:
    spare.idle("one")
    await quiet()
    spare.idle("one")
    await spare.close()
    spare.idle("one")
    await quiet()
    assert [child.has_ended for child in launched] == [True]
    unwanted = Spare(spare._launch, quiet=None)
    unwanted.idle("one")
    await quiet()
    assert len(launched) == 1


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What the processes of workers have written down so far."""
    file = tmp_path / "trace"
    monkeypatch.setenv(TRACE, str(file))
    return lambda: file.read_text().splitlines() if file.exists() else []


@pytest.fixture
async def spared(
    settings: EngineSettings, setup: WorkerSetup, trace: Callable[[], list[str]]
) -> AsyncIterator[Watched]:
    """An engine whose worker is ready, and whose spare has imported what it can."""
    watched = Watched(process_engine(settings, WorkerSetup(setup.paths, host=HOST), spare_after=SOON))
    await watched.engine.start()
    await imported(trace, 2)
    yield watched
    await watched.engine.stop()


async def imported(trace: Callable[[], list[str]], count: int) -> None:
    """Waits until so many processes have imported the host."""
    async with asyncio.timeout(60):
        while sum(line.startswith("import") for line in trace()) < count:
            await asyncio.sleep(0.01)


def processes(watched: Watched) -> tuple[int, int]:
    """The worker's and the spare's."""
    worker = watched.engine._runners[0].worker
    assert isinstance(worker, ProcessWorker)
    assert worker.process_id is not None
    assert worker._spare.process_id is not None
    return worker.process_id, worker._spare.process_id


HANG = graph(h=("Hang", {}), out=("Show", {"x": ["h", 0]}))


@pytest.mark.parametrize("ending", ["dies", "never returns"])
async def test_the_spare_takes_over_from_a_worker_that_ends(
    spared: Watched, trace: Callable[[], list[str]], ending: str
) -> None:
    worker, spare = processes(spared)
    assert trace() == [f"import {worker}", f"load {worker}", f"import {spare}"], "the spare has loaded no nodes"
    if ending == "dies":
        assert isinstance(await spared.run(graph(d=("Die", {"how": "kill"}))), JobFailed)
    else:
        running = await spared.engine.submit(Submission(HANG))
        await spared.until(lambda: spared.of(NodeStarted))
        spared.engine.interrupt()
        assert isinstance(await spared.outcome(running.job_id), JobInterrupted)
    assert isinstance(await spared.run(shown(2)), JobSucceeded)
    await imported(trace, 3)
    again = processes(spared)
    assert again[0] == spare
    assert again[1] not in (worker, spare)
    assert trace()[3:] == [f"load {spare}", f"import {again[1]}"], "nothing was imported before the worker was back"
    assert [one.state for one in spared.of(WorkerChanged)] == ["ready", "restarting", "ready"]


async def test_nobody_notices_when_memory_runs_out_and_the_kernel_ends_the_spare_first(spared: Watched) -> None:
    worker, spare = processes(spared)
    scores = [int(Path(f"/proc/{one}/oom_score_adj").read_text()) for one in (spare, worker, os.getpid())]
    assert scores[0] > scores[1] > scores[2]
    os.kill(spare, signal.SIGKILL)
    assert isinstance(await spared.run(shown(1)), JobSucceeded)
    async with asyncio.timeout(60):
        while spared.engine._runners[0].worker._spare.process_id is not None:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
    assert isinstance(await spared.run(graph(d=("Die", {"how": "kill"}))), JobFailed)
    assert isinstance(await spared.run(shown(2)), JobSucceeded)
    assert [one.state for one in spared.of(WorkerChanged)] == ["ready", "restarting", "ready"]


async def test_the_spare_ends_with_the_engine(spared: Watched) -> None:
    _, spare = processes(spared)
    assert is_alive(spare)
    await spared.engine.stop()
    assert not is_alive(spare)
