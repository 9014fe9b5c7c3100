"""A worker that dies takes its job with it and nothing else."""

import asyncio
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from execution.engine import Submission, WorkerFailedError
from execution.engines.child import describe
from execution.engines.process import ProcessWorker, process_engine
from execution.events import (
    JobFailed,
    JobInterrupted,
    JobStarted,
    JobSucceeded,
    NodeFinished,
    NodeStarted,
    Outcome,
    WorkerChanged,
)
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from tests.execution.conftest import Watched, is_alive
from tests.execution.graphs import graph, shown

HANG = graph(h=("Hang", {}), out=("Show", {"x": ["h", 0]}))


def worker_of(watched: Watched) -> ProcessWorker:
    worker = watched.engine._runners[0].worker if watched.engine._runners else watched.engine._workers[0]
    assert isinstance(worker, ProcessWorker)
    return worker


@pytest.mark.parametrize(
    ("how", "reason"),
    [("exit", "exit code 3"), ("kill", "signal 9 (SIGKILL), perhaps for lack of memory"), ("segfault", "signal 11")],
)
async def test_a_deadly_node_fails_its_job_with_the_reason_and_the_next_job_runs(
    with_process: Watched, how: str, reason: str
) -> None:
    deadly = graph(d=("Die", {"how": how}))
    outcome = await with_process.run(deadly | {"before": shown(1)["1"]})
    assert isinstance(outcome, JobFailed)
    assert outcome.message.startswith(f"The worker process ended while node d (Die) ran: {reason}")
    assert (outcome.node_id, outcome.node_type, outcome.exception_type) == ("d", "Die", "WorkerDied")
    assert isinstance(await with_process.run(shown(2)), JobSucceeded)
    states = [event.state for event in with_process.of(WorkerChanged)]
    assert states == ["ready", "restarting", "ready"]


async def test_waiting_jobs_outlive_the_worker_and_what_was_shown_stays_in_the_history(with_process: Watched) -> None:
    document = shown(1) | graph(x=("Pass", {"x": ["2", 0]}), hang=("Hang", {}), out=("Show", {"x": ["hang", 0]}))
    running = await with_process.engine.submit(Submission(document))
    waiting = [await with_process.engine.submit(Submission(shown(value))) for value in (2, 3)]
    await with_process.node_started("hang")
    process_id = worker_of(with_process).process_id
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)
    failed = await with_process.outcome(running.job_id)
    assert isinstance(failed, JobFailed)
    assert "signal 9 (SIGKILL)" in failed.message
    for job in waiting:
        assert isinstance(await with_process.outcome(job.job_id), JobSucceeded)
    entry = await with_process.entry(running.job_id)
    assert entry is not None
    assert entry.outputs == {"2": {"text": ["1"]}}
    assert entry.job.state == "failed"
    assert isinstance(entry.events[-1], JobFailed)
    assert entry.events[-1].executed == ("1", "2")
    told = [one for one in with_process.events if isinstance(one, WorkerChanged | Outcome)]
    assert [getattr(one, "state", type(one)) for one in told] == [
        "ready", "restarting", JobFailed, "ready", JobSucceeded, JobSucceeded,
    ], "the job has failed before the one new worker is there"  # fmt: skip


async def test_an_idle_worker_that_dies_is_replaced(with_process: Watched) -> None:
    await with_process.engine.catalog()
    process_id = worker_of(with_process).process_id
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)
    await with_process.until(
        lambda: [one.state for one in with_process.of(WorkerChanged)][-2:] == ["restarting", "ready"]
    )
    assert isinstance(await with_process.run(shown(2)), JobSucceeded)


async def test_a_worker_that_ends_again_without_a_job_is_given_time(with_process: Watched) -> None:
    worker, clock = worker_of(with_process), asyncio.get_running_loop().time
    worker._first_pause = 20
    pauses: list[float] = []
    for number in range(2):
        await with_process.until(lambda number=number: len(with_process.of(WorkerChanged)) == 2 * number + 1)
        assert worker.process_id is not None
        os.kill(worker.process_id, signal.SIGKILL)
        await with_process.until(lambda number=number: len(with_process.of(WorkerChanged)) == 2 * number + 2)
        assert worker._retry is not None
        pauses.append(worker._retry.when() - clock())
    assert pauses[0] <= 0 < pauses[1]


async def test_a_node_that_never_returns_is_ended_after_the_grace_period(with_process: Watched) -> None:
    running = await with_process.engine.submit(Submission(HANG))
    await with_process.until(lambda: with_process.of(NodeStarted))
    begin = time.monotonic()
    assert with_process.engine.interrupt(running.job_id)
    outcome = await with_process.outcome(running.job_id)
    assert isinstance(outcome, JobInterrupted)
    assert (outcome.node_id, outcome.node_type) == ("h", "Hang")
    assert time.monotonic() - begin > 0.4
    assert isinstance(await with_process.run(shown(2)), JobSucceeded)
    [restarting] = [event for event in with_process.of(WorkerChanged) if event.state == "restarting"]
    assert restarting.detail == "The worker ended: it was told to stop, and its node did not."


async def test_a_node_that_gives_no_sign_of_life_ends_its_job_and_is_named(
    settings: EngineSettings, setup: WorkerSetup
) -> None:
    watched = Watched(process_engine(replace(settings, node_timeout=0.8), setup))
    await watched.engine.start()
    steps = graph(s=("Steps", {"count": 30, "milliseconds": 40}), out=("Show", {"x": ["s", 0]}))
    assert isinstance(await watched.run(steps), JobSucceeded), "a node that tells its steps is alive"
    outcome = await watched.run(shown(1) | HANG)
    assert isinstance(outcome, JobFailed)
    assert (outcome.exception_type, outcome.node_id, outcome.node_type) == ("NodeTimeout", "h", "Hang")
    assert outcome.message.startswith("Node h (Hang) gave no sign of life for 0.8 seconds, the limit")
    assert isinstance(await watched.run(shown(2)), JobSucceeded)
    [restarting] = [one.detail for one in watched.of(WorkerChanged) if one.state == "restarting"]
    assert restarting == "The worker ended: node h gave no sign of life for 0.8 seconds."
    await watched.engine.stop()


@pytest.mark.parametrize(
    ("how", "message"),
    [("sys.exit", "SystemExit: 4"), ("ctrl-c", "KeyboardInterrupt"), ("recurse", "maximum recursion depth")],
)
async def test_a_node_that_only_tries_to_end_the_worker_fails_like_any_other(
    with_process: Watched, how: str, message: str
) -> None:
    outcome = await with_process.run(graph(d=("Die", {"how": how})))
    assert isinstance(outcome, JobFailed)
    assert (outcome.node_id, outcome.node_type) == ("d", "Die")
    assert message in f"{outcome.exception_type}: {outcome.message}"
    assert isinstance(await with_process.run(shown(2)), JobSucceeded)
    assert [one.state for one in with_process.of(WorkerChanged)] == ["ready"]


UNREAD, TOO_MUCH = "it sent something that cannot be read", "it sent more than a message may hold"


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (("Garble", {"how": "nonsense"}), UNREAD),
        (("Garble", {"how": "too much"}), TOO_MUCH),
        (("Send", {"text": "5"}), UNREAD),
        (("Send", {"text": '{"$":"Stop"}'}), UNREAD),
        (("Send", {"text": '{"$":"Events","events":5}'}), UNREAD),
    ],
)
async def test_a_worker_that_talks_nonsense_is_replaced(
    with_process: Watched, node: tuple[str, dict[str, str]], reason: str
) -> None:
    outcome = await with_process.run(graph(g=node))
    assert isinstance(outcome, JobFailed)
    assert outcome.message == f"The worker process ended while node g ({node[0]}) ran: {reason}."
    assert isinstance(await with_process.run(shown(2)), JobSucceeded)


async def test_a_node_that_asks_for_more_memory_than_it_may_fails_its_job(with_process: Watched) -> None:
    outcome = await with_process.run(graph(e=("TakeAllMemory", {})))
    assert isinstance(outcome, JobFailed)
    assert outcome.exception_type in ("MemoryError", "WorkerDied")
    assert outcome.node_id == "e"
    assert isinstance(await with_process.run(shown(2)), JobSucceeded)


async def test_a_job_that_was_given_to_a_dying_worker_runs_on_the_next(with_process: Watched) -> None:
    await with_process.engine.catalog()
    worker_of(with_process).replace("of a test")
    assert isinstance(await with_process.run(shown(2)), JobSucceeded)
    assert len(with_process.of(JobStarted)) == 1


async def test_an_interrupt_that_races_with_the_end_never_hits_the_next_job(with_process: Watched) -> None:
    quick = graph(s=("Steps", {"count": 1, "milliseconds": 1}), out=("Show", {"x": ["s", 0]}))
    ended = 0
    for number in range(40):
        quick["s"]["inputs"]["seed"] = number
        first = await with_process.engine.submit(Submission(quick))
        second = await with_process.engine.submit(Submission(shown(number)))
        await asyncio.sleep(number % 8 / 1000)
        with_process.engine.interrupt(first.job_id)
        ended += isinstance(await with_process.outcome(first.job_id), JobSucceeded)
        assert isinstance(await with_process.outcome(second.job_id), JobSucceeded)
    assert len(await with_process.history()) == 80
    assert [one.state for one in with_process.of(WorkerChanged)] == ["ready"]


async def test_interrupts_after_the_end_do_nothing(with_process: Watched) -> None:
    outcome = await with_process.run(shown(1))
    assert with_process.engine.interrupt(outcome.job_id) is False
    await asyncio.sleep(0.7)
    assert [one.state for one in with_process.of(WorkerChanged)] == ["ready"]


async def test_nodes_run_in_another_process_that_ends_with_the_engine(with_process: Watched) -> None:
    await with_process.run(graph(p=("ProcessId", {})))
    [finished] = with_process.of(NodeFinished)
    process_id = finished.ui["pid"][0]
    assert process_id != os.getpid()
    await with_process.engine.stop()
    assert not is_alive(process_id)


async def test_a_job_stopped_just_before_the_end_is_not_run_again(
    with_process: Watched, settings: EngineSettings, setup: WorkerSetup
) -> None:
    running = await with_process.engine.submit(Submission(HANG))
    await with_process.node_started("h")
    with_process.engine.interrupt()
    await with_process.engine.stop()
    again = Watched(process_engine(settings, setup))
    await again.engine.start()
    assert again.engine.queue().pending == ()
    entry = await again.entry(running.job_id)
    assert entry is not None
    assert entry.job.state == "interrupted"
    await again.engine.stop()


@pytest.mark.parametrize("how", ["stop", "exit", "kill"])
async def test_what_a_worker_has_started_ends_with_it(with_process: Watched, tmp_path: Path, how: str) -> None:
    file = tmp_path / "child"
    await with_process.run(graph(s=("StartChild", {"path": str(file)})))
    child = int(file.read_text())
    assert is_alive(child)
    if how == "stop":
        await with_process.engine.stop()
    else:
        assert isinstance(await with_process.run(graph(d=("Die", {"how": how}))), JobFailed)
    async with asyncio.timeout(20):
        while is_alive(child):
            await asyncio.sleep(0.01)


async def test_a_worker_that_cannot_load_its_nodes_says_why(settings: EngineSettings, setup: WorkerSetup) -> None:
    broken = WorkerSetup(setup.paths, host="tests.execution.fake_host:load_badly")
    watched = Watched(process_engine(settings, broken))
    worker_of(watched)._first_pause = 0.01
    await watched.engine.start()
    with pytest.raises(WorkerFailedError, match="no module named nothing"):
        await watched.engine.catalog()
    assert watched.engine.status().state == "failed"
    assert [one.state for one in watched.of(WorkerChanged)][:3] == ["restarting", "restarting", "failed"]
    await watched.engine.stop()


async def test_a_worker_that_could_not_start_is_tried_again(
    settings: EngineSettings, setup: WorkerSetup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = tmp_path / "flag"
    monkeypatch.setenv("WEFT_TEST_FLAG", str(flag))
    watched = Watched(process_engine(settings, WorkerSetup(setup.paths, host="tests.execution.fake_host:load_once")))
    worker_of(watched)._first_pause = 0.01
    await watched.engine.start()
    await watched.until(lambda: any("exit code 7" in one.detail for one in watched.of(WorkerChanged)))
    flag.touch()
    assert isinstance(await watched.run(shown(1)), JobSucceeded)
    await watched.engine.stop()


async def test_what_a_worker_logs_is_told_from_the_level_of_the_server_on(
    settings: EngineSettings, setup: WorkerSetup, capfd: pytest.CaptureFixture[str]
) -> None:
    talking = "tests.execution.fake_host:load_talking"
    for level, told in (("INFO", ["INFO root: of the root", "INFO a.pack: of a pack"]), ("WARNING", [])):
        watched = Watched(process_engine(settings, WorkerSetup(setup.paths, host=talking, log_level=level)))
        await watched.engine.start()
        await watched.engine.catalog()
        await watched.engine.stop()
        assert [line.split(" ", 2)[2] for line in capfd.readouterr().err.splitlines() if " of " in line] == told


def test_the_end_of_a_process_is_told_in_words() -> None:
    assert describe(3) == "exit code 3"
    assert describe(-11) == "signal 11 (SIGSEGV)"
    assert describe(-9) == "signal 9 (SIGKILL), perhaps for lack of memory"
    assert describe(-99) == "signal 99 (unknown)"
