"""A pack that ends its worker or never comes to an end as it is loaded is left out, and all others load."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from execution.engines.left_out import LeftOut, LoadingWatch
from execution.engines.process import process_engine
from execution.events import JobFailed, JobSucceeded, WorkerChanged
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from nodes.paths import Paths
from tests.execution.conftest import Watched
from tests.execution.graphs import graph, shown
from tests.execution.packs_host import HOST

GOOD = "import os\nwith open({trace!r}, 'a') as file:\n    print(os.getpid(), file=file)\nNODE_CLASS_MAPPINGS = {{}}\n"
HANGS = "import ctypes\nctypes.PyDLL(None).sleep(60)\n"
ENDS = "import os\nos.kill(os.getpid(), 11)\n"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """The processes that have loaded the good pack, each in a line."""
    return tmp_path / "trace"


@pytest.fixture
def patience() -> float:
    """Seconds that a pack has to load."""
    return 60


@pytest.fixture
async def watched(settings: EngineSettings, paths: Paths, trace: Path, patience: float) -> AsyncIterator[Watched]:
    """An engine with a pack that loads."""
    paths.custom_nodes.mkdir(parents=True)
    (paths.custom_nodes / "good.py").write_text(GOOD.format(trace=str(trace)))
    engine = process_engine(replace(settings, pack_timeout=patience), WorkerSetup(paths, host=HOST))
    for worker in engine._workers:
        worker._first_pause = 0.01  # type: ignore[attr-defined]
    yield Watched(engine)
    await engine.stop()


async def test_a_pack_that_ends_the_worker_twice_is_left_out_and_the_others_load(
    watched: Watched, paths: Paths, trace: Path
) -> None:
    (paths.custom_nodes / "ends.py").write_text(ENDS)
    (paths.custom_nodes / "raises.py").write_text("raise ValueError('no')\n")
    await watched.engine.start()
    catalog = await watched.engine.catalog()
    assert sorted(catalog.failures) == ["ends", "raises"]
    assert catalog.failures["ends"] == (
        "The worker process ended twice as it loaded this pack: signal 11 (SIGSEGV). "
        "It is left out until Weft is started again."
    )
    assert "ValueError: no" in catalog.failures["raises"]
    assert [one.state for one in watched.of(WorkerChanged)] == ["restarting", "restarting", "ready"]
    assert len(trace.read_text().splitlines()) == 1, "it is loaded after the pack that ends the worker"
    assert isinstance(await watched.run(shown(1)), JobSucceeded)


@pytest.mark.parametrize("patience", [1.5])
async def test_a_pack_that_hangs_is_left_out_also_when_a_worker_starts_again(
    watched: Watched, paths: Paths, trace: Path
) -> None:
    folder = paths.custom_nodes / "hangs"
    folder.mkdir()
    (folder / "__init__.py").write_text("NODE_CLASS_MAPPINGS = {}\n")
    (folder / "prestartup_script.py").write_text(HANGS)
    await watched.engine.start()
    for _ in range(2):
        assert isinstance(await watched.run(shown(1)), JobSucceeded)
        [(pack, reason)] = (await watched.engine.catalog()).failures.items()
        assert pack == "hangs"
        assert reason.startswith("It had not been loaded after 1.5 seconds, the limit that")
        assert isinstance(await watched.run(graph(d=("Die", {"how": "kill"}))), JobFailed)
    assert isinstance(await watched.run(shown(1)), JobSucceeded)
    told = [one.detail for one in watched.of(WorkerChanged) if one.state == "restarting"]
    assert told[0] == "The worker does not start: the pack hangs had not been loaded after 1.5 seconds"
    assert len(told) == 3, "once for the pack, and once for each death of a worker"
    assert len(trace.read_text().splitlines()) == 3


async def test_each_pack_has_the_time_for_itself_and_a_worker_that_is_ready_has_no_limit() -> None:
    watch = LoadingWatch(LeftOut(patience=60), lambda because: None)
    timers: list[list[asyncio.TimerHandle]] = []
    for pack in ("a", "b", ""):
        watch.begins(pack)
        timers.append(list(watch._timers))
    assert [[timer.cancelled() for timer in of_pack] for of_pack in timers] == [[True, True], [True, True], []]
    assert not watch.worker_ended("signal 9"), "no pack is to blame"
    patient = LoadingWatch(LeftOut(patience=0), lambda because: None)
    patient.begins("a")
    assert len(patient._timers) == 1, "the log tells what is waited for, and nothing else happens"
