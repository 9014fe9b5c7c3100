"""The laws of an engine, held for a worker in its own process and for one in a thread."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from execution.engine import (
    DirectoryInUseError,
    InvalidGraphError,
    KeyTakenError,
    QueueFullError,
    StoppingError,
    Submission,
)
from execution.engines.inline import inline_engine
from execution.engines.process import process_engine
from execution.events import (
    Event,
    JobEnded,
    JobEvent,
    JobFailed,
    JobInterrupted,
    JobStarted,
    JobSucceeded,
    NodeFinished,
    NodePlaced,
    NodeProgress,
    NodesCached,
    NodeStarted,
    Outcome,
    QueueChanged,
    WorkerChanged,
)
from execution.messages import WorkerSetup
from execution.settings import EngineSettings
from tests.execution.conftest import Watched
from tests.execution.graphs import diamond, graph, shown

SLOW = graph(s=("Steps", {"count": 200, "milliseconds": 20}), out=("Show", {"x": ["s", 0]}))


async def started(watched: Watched, job_id: str) -> None:
    """Waits until a node of the job runs."""
    await watched.until(lambda: any(isinstance(one, NodeStarted) and one.job_id == job_id for one in watched.events))


async def test_a_job_tells_its_life_in_order(watched: Watched) -> None:
    await watched.engine.catalog()
    watched.events.clear()
    assert isinstance(await watched.run(shown(3), client_id="me"), JobSucceeded)
    assert [type(event) for event in watched.events] == [
        QueueChanged, JobStarted, NodesCached, NodeStarted, NodeFinished, NodeStarted, NodeFinished,
        JobSucceeded, QueueChanged, JobEnded,
    ]  # fmt: skip
    assert [event.remaining for event in watched.of(QueueChanged)] == [1, 0]
    assert {event.client_id for event in watched.events if isinstance(event, JobEvent)} == {"me"}


async def test_the_worker_is_starting_until_it_is_ready(with_process: Watched) -> None:
    watched = with_process
    assert watched.engine.status().state == "starting"
    catalog = await watched.engine.catalog()
    assert watched.engine.status().state == "ready"
    assert watched.of(WorkerChanged) == [WorkerChanged("ready")]
    assert catalog.specs["Show"].output_node
    assert catalog.specs["Show"].function is None
    assert catalog.failures == {"broken_pack": "Traceback: no"}


async def test_jobs_may_be_given_before_the_worker_is_ready(with_process: Watched) -> None:
    assert with_process.engine.status().state == "starting"
    assert isinstance(await with_process.run(shown(3)), JobSucceeded)


async def test_who_waits_for_the_worker_to_start_is_told_at_once_that_the_engine_ends(with_process: Watched) -> None:
    waiting = [asyncio.ensure_future(with_process.engine.submit(Submission(shown(3)))) for _ in range(2)]
    await asyncio.sleep(0)
    assert with_process.engine.status().state == "starting"
    await with_process.engine.stop()
    answers = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 60)
    assert [type(answer) for answer in answers] == [StoppingError] * 2
    with pytest.raises(StoppingError):
        await asyncio.wait_for(with_process.engine.catalog(), 60)


async def test_the_same_graph_again_runs_nothing_and_shows_the_same(watched: Watched) -> None:
    await watched.run(shown(3))
    watched.events.clear()
    await watched.run(shown(3))
    assert watched.of(NodeStarted) == []
    [finished] = watched.of(NodeFinished)
    assert (finished.cached, finished.ui) == (True, {"text": ["3"]})


async def test_a_bad_graph_is_refused_with_its_problems(watched: Watched) -> None:
    with pytest.raises(InvalidGraphError) as error:
        await watched.engine.submit(Submission(shown(-1)))
    assert error.value.error.type == "prompt_outputs_failed_validation"
    assert list(error.value.node_errors) == ["1"]
    assert watched.engine.queue().pending == ()


async def test_nodes_that_check_themselves_refuse_before_anything_is_queued(watched: Watched) -> None:
    with pytest.raises(InvalidGraphError) as error:
        await watched.engine.submit(Submission(graph(a=("Even", {"number": 3}))))
    assert error.value.error.type == "prompt_outputs_failed_validation"
    [problem] = error.value.node_errors["a"].errors
    assert (problem.type, problem.details) == ("custom_validation_failed", "number - 3 is odd")
    assert error.value.node_errors["a"].dependent_outputs == ("a",)
    both = graph(a=("Even", {"number": 3}), b=("Even", {"number": 4}))
    accepted = await watched.engine.submit(Submission(both))
    assert list(accepted.node_errors) == ["a"]
    assert isinstance(await watched.outcome(accepted.job_id), JobSucceeded)
    assert [event.node_id for event in watched.of(NodeFinished)] == ["b"]


async def test_a_busy_worker_still_lets_nodes_check_themselves(watched: Watched) -> None:
    await watched.engine.submit(Submission(graph(s=("Steps", {"count": 100}), out=("Show", {"x": ["s", 0]}))))
    await watched.node_started("s")
    checked = await watched.engine.check(Submission(graph(a=("Even", {"number": 3}))))
    assert checked.error is not None
    watched.engine.interrupt()


async def test_history_is_there_when_the_end_is_told(watched: Watched) -> None:
    entries = []

    def listen(event: Event) -> None:
        if isinstance(event, Outcome):
            entries.append(asyncio.ensure_future(watched.entry(event.job_id)))

    watched.engine.subscribe(listen)
    await watched.run(shown(3), extra_data={"extra_pnginfo": {"workflow": {"nodes": []}}})
    entry = await entries[0]
    assert entry.outputs == {"2": {"text": ["3"]}}
    assert [type(event) for event in entry.events] == [JobStarted, NodesCached, JobSucceeded]
    assert entry.job.state == "succeeded"
    assert entry.job.extra_data.read() == {"extra_pnginfo": {"workflow": {"nodes": []}}}
    assert entry.job.created <= entry.job.started <= entry.job.ended


async def test_what_an_expanded_node_showed_is_kept_with_where_it_comes_from(watched: Watched) -> None:
    document = shown(3) | graph(e=("Expand", {"x": ["1", 0]}), out=("Show", {"x": ["e", 0]}))
    accepted = await watched.engine.submit(Submission(document))
    assert isinstance(await watched.outcome(accepted.job_id), JobSucceeded)
    entry = await watched.entry(accepted.job_id)
    assert entry.outputs == {"2": {"text": ["3"]}, "e.0.0.show": {"text": ["6"]}, "out": {"text": ["6"]}}
    [placed] = [event for event in entry.events if isinstance(event, NodePlaced)]
    assert (placed.node_id, placed.parent, placed.display, placed.real) == ("e.0.0.show", "e", "e", "e")


async def test_both_engines_make_the_same_of_a_graph(settings: EngineSettings, setup: WorkerSetup) -> None:
    document = diamond(5) | graph(s=("SaveText", {"x": ["sum", 0], "name": "a.txt"}), e=("Expand", {"x": ["sum", 0]}))
    setup.paths.output.mkdir(parents=True)
    told = []
    for make in (inline_engine, process_engine):
        watched = Watched(make(settings, setup))
        await watched.engine.start()
        outcome = await watched.run(document, job_id=make.__name__)
        entry = await watched.entry(outcome.job_id)
        assert entry is not None
        started = [(one.node_id, one.origin) for one in watched.of(NodeStarted)]
        told.append((type(outcome), entry.outputs, started, (setup.paths.output / "a.txt").read_bytes()))
        await watched.engine.stop()
    assert told[0] == told[1]
    assert told[0][3] == b"110"


async def test_cached_outputs_are_part_of_the_history_too(watched: Watched) -> None:
    await watched.run(shown(3))
    outcome = await watched.run(shown(3))
    entry = await watched.entry(outcome.job_id)
    assert entry is not None
    assert entry.outputs == {"2": {"text": ["3"]}}


async def test_a_failure_ends_its_job_and_not_the_next(watched: Watched) -> None:
    failing = graph(a=("Make", {"value": 3}), f=("Fail", {"x": ["a", 0]}), out=("Show", {"x": ["f", 0]}))
    outcome = await watched.run(failing)
    assert isinstance(outcome, JobFailed)
    assert (outcome.node_id, outcome.message) == ("f", "I do not like 3")
    assert isinstance(await watched.run(shown(1)), JobSucceeded)


async def test_an_interrupt_stops_the_running_job_within_a_step_and_the_next_one_runs(watched: Watched) -> None:
    first = await watched.engine.submit(Submission(SLOW))
    second = await watched.engine.submit(Submission(shown(4)))
    await watched.until(lambda: watched.of(NodeProgress))
    assert watched.engine.interrupt() is True
    outcome = await watched.outcome(first.job_id)
    assert watched.of(NodeProgress)[-1].value < SLOW["s"]["inputs"]["count"]
    assert isinstance(outcome, JobInterrupted)
    assert (outcome.node_id, outcome.node_type) == ("s", "Steps")
    assert isinstance(await watched.outcome(second.job_id), JobSucceeded)
    assert [event for event in watched.of(WorkerChanged) if event.state == "restarting"] == []


async def test_an_interrupt_by_id_spares_other_jobs(watched: Watched) -> None:
    job = await watched.engine.submit(Submission(graph(s=("Steps", {"count": 20}), out=("Show", {"x": ["s", 0]}))))
    await started(watched, job.job_id)
    assert watched.engine.interrupt("another") is False
    assert isinstance(await watched.outcome(job.job_id), JobSucceeded)
    assert watched.engine.interrupt() is False


async def test_waiting_jobs_are_cancelled_without_a_trace(watched: Watched) -> None:
    running = await watched.engine.submit(Submission(SLOW))
    await started(watched, running.job_id)
    jobs = [await watched.engine.submit(Submission(shown(value))) for value in (1, 2, 3)]
    assert await watched.engine.cancel([jobs[0].job_id, running.job_id, "stranger"]) == 1
    assert watched.engine.queue().pending == tuple(job.job_id for job in jobs[1:])
    assert await watched.engine.clear() == 2
    assert watched.of(QueueChanged)[-1].remaining == 1
    watched.engine.interrupt()
    await watched.outcome(running.job_id)
    assert [entry.job.id for entry in await watched.history()] == [running.job_id]


async def test_numbers_decide_who_is_next_and_front_is_before_all(watched: Watched) -> None:
    running = await watched.engine.submit(Submission(SLOW))
    await started(watched, running.job_id)
    given = [{}, {"number": 0.5}, {"front": True}, {"number": -99.5}]
    jobs = [await watched.engine.submit(Submission(shown(5), **one)) for one in given]
    assert [job.number for job in jobs] == [2.0, 0.5, -4.0, -99.5]
    assert watched.engine.queue().pending == tuple(jobs[i].job_id for i in (3, 2, 1, 0))
    assert watched.engine.queue().running == (running.job_id,)
    watched.engine.interrupt()
    await watched.outcome(jobs[0].job_id)


async def test_the_same_key_again_returns_the_first_job_however_often_and_when(watched: Watched) -> None:
    submissions = [Submission(shown(value), job_id="key") for value in range(20)]
    answers = await asyncio.gather(*(watched.engine.submit(one) for one in submissions))
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 19
    assert {answer.job_id for answer in answers} == {"key"}
    await watched.outcome("key")
    later = await watched.engine.submit(Submission(shown(5), job_id="key"))
    assert later.repeated
    assert len(await watched.history()) == 1


async def test_a_key_of_another_job_is_refused(watched: Watched) -> None:
    await watched.engine.submit(Submission(shown(1), job_id="key", digest=b"one"))
    again = await watched.engine.submit(Submission(shown(1), job_id="key", digest=b"one"))
    assert again.repeated
    with pytest.raises(KeyTakenError, match="belongs to another job"):
        await watched.engine.submit(Submission(shown(2), job_id="key", digest=b"two"))
    assert isinstance(await watched.outcome("key"), JobSucceeded)


async def test_secrets_reach_nodes_and_not_the_disk(watched: Watched, settings: EngineSettings) -> None:
    given = {"preview_method": "none", "auth_token_comfy_org": "s3cret"}
    outcome = await watched.run(graph(t=("TellPreviews", {})), extra_data=given)
    entry = await watched.entry(outcome.job_id)
    assert entry is not None
    assert entry.job.extra_data.read() == {"preview_method": "none"}
    assert entry.outputs == {"t": {"text": ["none"]}}
    assert all(b"s3cret" not in file.read_bytes() for file in settings.database.parent.iterdir() if file.is_file())


async def test_checking_queues_nothing(watched: Watched) -> None:
    checked = await watched.engine.check(Submission(shown(3)))
    assert checked.targets == ("2",)
    assert watched.engine.queue().pending == ()
    assert watched.of(QueueChanged) == []


async def test_devices_are_told_by_the_worker(watched: Watched) -> None:
    await watched.engine.catalog()
    assert await watched.engine.device_stats() == {"devices": [{"name": "fake"}]}


async def test_freeing_memory_forgets_results(watched: Watched) -> None:
    await watched.run(shown(3))
    watched.engine.free(unload_models=False, free_memory=True)
    watched.events.clear()
    await watched.run(shown(3))
    assert len(watched.of(NodeStarted)) == 2


async def test_running_out_of_memory_forgets_results(watched: Watched) -> None:
    await watched.run(shown(3))
    outcome = await watched.run(graph(e=("Exhaust", {})))
    assert isinstance(outcome, JobFailed)
    assert (outcome.exception_type, outcome.message) == ("MemoryError", "all gone")
    watched.events.clear()
    await watched.run(shown(3))
    assert len(watched.of(NodeStarted)) == 2


async def test_a_listener_that_fails_harms_nobody(watched: Watched) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("not today")

    end = watched.engine.subscribe(fail)
    assert isinstance(await watched.run(shown(3)), JobSucceeded)
    end()


async def test_the_base_directory_is_tidied_only_by_the_engine_that_has_it(
    settings: EngineSettings, setup: WorkerSetup
) -> None:
    calls: list[str] = []
    first = inline_engine(replace(settings, when_alone=lambda: calls.append("first")), setup)
    second = inline_engine(replace(settings, when_alone=lambda: calls.append("second")), setup)
    await first.start()
    with pytest.raises(DirectoryInUseError):
        await second.start()
    await first.stop()
    assert calls == ["first"]


async def test_a_full_queue_says_so(settings: EngineSettings, setup: WorkerSetup) -> None:
    small = EngineSettings(settings.base, settings.database, settings.files, queue_limit=2)
    watched = Watched(inline_engine(small, setup))
    await watched.engine.start()
    running = await watched.engine.submit(Submission(SLOW))
    await started(watched, running.job_id)
    answers = await asyncio.gather(
        *(watched.engine.submit(Submission(shown(value))) for value in range(5)), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(QueueFullError) == 3
    watched.engine.interrupt()
    await watched.engine.stop()


async def test_a_start_with_a_lower_limit_of_the_history_forgets_the_oldest(
    settings: EngineSettings, setup: WorkerSetup
) -> None:
    watched = Watched(inline_engine(settings, setup))
    await watched.engine.start()
    for value in range(3):
        await watched.run(shown(value))
    ids = await watched.engine.history_ids()
    await watched.engine.stop()
    again = inline_engine(replace(settings, history_limit=2), setup)
    await again.start()
    assert list(await again.history_ids()) == list(ids)[1:]
    await again.stop()


async def test_what_waits_at_the_end_runs_after_the_next_start(
    settings: EngineSettings, setup: WorkerSetup, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    watched = Watched(inline_engine(settings, setup))
    await watched.engine.start()
    running = await watched.engine.submit(Submission(SLOW))
    await started(watched, running.job_id)
    waiting = await watched.engine.submit(Submission(graph(a=("AppendLine", {"path": str(trace)}))))
    watched.engine.interrupt()
    watched.engine._is_stopping = True
    await watched.outcome(running.job_id)
    await watched.engine.stop()
    assert not trace.exists()
    again = Watched(inline_engine(settings, setup))
    await again.engine.start()
    assert isinstance(await again.outcome(waiting.job_id), JobSucceeded)
    assert trace.read_text() == "ran\n"
    numbers = [entry.job.id for entry in await again.history()]
    assert numbers == [running.job_id, waiting.job_id]
    assert (await again.engine.submit(Submission(shown(1)))).number == 3
    await again.engine.stop()
