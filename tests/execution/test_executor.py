"""What runs, in which order, and what is told of it."""

import gc
import json
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from execution.cache import Cache, CacheSettings
from execution.calling import answer_of
from execution.events import (
    Event,
    JobFailed,
    JobInterrupted,
    JobStarted,
    JobSucceeded,
    NodeFinished,
    NodePreview,
    NodeProgress,
    NodesCached,
    NodeStarted,
)
from execution.executor import Executor
from execution.json_text import JsonText
from execution.run import Run
from execution.validation import check
from nodes.context import Context, Services, WorkerSettings
from nodes.paths import Paths
from nodes.spec import InputSpec, NodeSpec, OutputSpec, Shown
from tests.execution import fake_nodes
from tests.execution.counting import calls_in
from tests.execution.fake_host import FakeFiles
from tests.execution.graphs import chain, diamond, diamonds, fan, graph, shown


def run(executor: Executor, document: dict[str, Any], *targets: str) -> Any:
    return executor.run(Run("job", "client", JsonText.of(document), targets))


def started(events: list[Event]) -> list[str]:
    return [event.node_id for event in events if isinstance(event, NodeStarted)]


def test_events_tell_the_run_in_order(executor: Executor, events: list[Event]) -> None:
    assert isinstance(run(executor, shown(3), "2"), JobSucceeded)
    assert [type(event) for event in events] == [
        JobStarted, NodesCached, NodeStarted, NodeFinished, NodeStarted, NodeFinished,
    ]  # fmt: skip
    assert events[-1] == NodeFinished("job", "client", "2", {"text": ["3"]})


@pytest.mark.parametrize(
    ("asked", "made"),
    [("none", "none"), ("latent2rgb", "latent2rgb"), ("default", "auto"), ([], "auto"), (None, "auto")],
)
def test_a_job_may_ask_for_other_previews(executor: Executor, events: list[Event], asked: Any, made: str) -> None:
    extra_data = {} if asked is None else {"preview_method": asked}
    executor.run(Run("job", "client", JsonText.of(graph(a=("TellPreviews", {}))), ("a",), JsonText.of(extra_data)))
    assert events[-1] == NodeFinished("job", "client", "a", {"text": [made]})


def test_results_reach_the_inputs_they_are_wired_to(executor: Executor, events: list[Event]) -> None:
    run(executor, diamond(5), "out")
    assert events[-1] == NodeFinished("job", "client", "out", {"text": ["110"]})


def test_a_second_run_of_the_same_graph_runs_nothing_and_shows_everything(
    executor: Executor, events: list[Event]
) -> None:
    run(executor, shown(3), "2")
    events.clear()
    assert isinstance(run(executor, shown(3), "2"), JobSucceeded)
    assert started(events) == []
    assert [event.nodes for event in events if isinstance(event, NodesCached)] == [("1", "2")]
    assert events[-1] == NodeFinished("job", "client", "2", {"text": ["3"]}, cached=True)


def test_a_changed_value_reruns_only_what_depends_on_it(executor: Executor, events: list[Event]) -> None:
    run(executor, diamond(1), "out")
    events.clear()
    run(executor, diamond(5), "out")
    assert started(events) == ["start", "left", "right", "sum", "out"]


def test_only_what_the_targets_need_runs(executor: Executor, events: list[Event]) -> None:
    run(executor, diamond(1), "right")
    assert started(events) == ["start", "right"]


def test_equal_nodes_of_one_graph_run_once(executor: Executor, events: list[Event]) -> None:
    document = graph(a=("Make", {"value": 7}), b=("Make", {"value": 7}), c=("Add", {"a": ["a", 0], "b": ["b", 0]}))
    assert isinstance(run(executor, document, "c"), JobSucceeded)
    assert started(events) == ["a", "c"]


def test_a_file_that_changes_is_read_again(executor: Executor, events: list[Event], tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    document = graph(r=("ReadFile", {"path": str(file)}), out=("Show", {"x": ["r", 0]}))
    file.write_text("one")
    run(executor, document, "out")
    run(executor, document, "out")
    file.write_text("two")
    run(executor, document, "out")
    texts = [event.ui["text"] for event in events if isinstance(event, NodeFinished) and event.ui]
    assert texts == [["one"], ["one"], ["two"]]
    assert started(events) == ["r", "out", "r", "out"]


def test_a_failing_node_ends_the_job_and_is_told_with_all_that_helps(executor: Executor) -> None:
    document = graph(a=("Make", {"value": 3}), f=("Fail", {"x": ["a", 0]}), out=("Show", {"x": ["f", 0]}))
    outcome = run(executor, document, "out")
    assert isinstance(outcome, JobFailed)
    assert (outcome.node_id, outcome.node_type, outcome.exception_type) == ("f", "Fail", "ValueError")
    assert outcome.message == "I do not like 3"
    assert outcome.executed == ("a",)
    assert outcome.current_inputs == {"x": "3"}
    assert len(outcome.traceback) == 1
    assert "in fail" in outcome.traceback[0]
    assert 'File "tests/' in outcome.traceback[0]


@pytest.mark.parametrize(("how", "error"), [("sys.exit", "SystemExit"), ("recurse", "RecursionError")])
def test_no_node_ends_the_executor(executor: Executor, how: str, error: str) -> None:
    outcome = run(executor, graph(d=("Die", {"how": how})), "d")
    assert isinstance(outcome, JobFailed)
    assert outcome.exception_type == error
    assert len(outcome.traceback) < 60
    assert isinstance(run(executor, shown(1), "2"), JobSucceeded)


def test_a_type_that_has_gone_since_the_graph_was_accepted_is_named(executor: Executor) -> None:
    outcome = run(executor, graph(g=("Gone", {})), "g")
    assert isinstance(outcome, JobFailed)
    assert "type Gone" in outcome.message
    assert outcome.node_id == "g"


def test_what_ran_before_a_failure_is_not_run_again(executor: Executor, events: list[Event]) -> None:
    run(executor, graph(a=("Make", {"value": 3}), f=("Fail", {"x": ["a", 0]})), "f")
    events.clear()
    run(executor, graph(a=("Make", {"value": 3}), out=("Show", {"x": ["a", 0]})), "out")
    assert started(events) == ["out"]


def test_a_node_tells_its_progress_and_previews(executor: Executor, events: list[Event]) -> None:
    run(executor, graph(s=("Steps", {"count": 2, "milliseconds": 0})), "s")
    assert [(event.value, event.maximum) for event in events if isinstance(event, NodeProgress)] == [(1, 2), (2, 2)]
    assert [event.jpeg for event in events if isinstance(event, NodePreview)] == [b"jpeg", b"jpeg"]


def test_an_interrupt_ends_a_node_at_its_next_step(
    executor: Executor, events: list[Event], stopped: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real_append = events.append

    class Stopping(list[Event]):
        def append(self, event: Event) -> None:
            real_append(event)
            if isinstance(event, NodeProgress) and event.value == 3:
                stopped.add("job")

    monkeypatch.setattr(executor, "_emit", Stopping().append)
    outcome = run(executor, graph(s=("Steps", {"milliseconds": 0}), out=("Show", {"x": ["s", 0]})), "out")
    assert isinstance(outcome, JobInterrupted)
    assert (outcome.node_id, outcome.node_type, outcome.executed) == ("s", "Steps", ())
    assert max(event.value for event in events if isinstance(event, NodeProgress)) == 3


def test_an_interrupt_before_the_first_node_runs_none(
    executor: Executor, events: list[Event], stopped: set[str]
) -> None:
    stopped.add("job")
    assert isinstance(run(executor, shown(1), "2"), JobInterrupted)
    assert started(events) == []


def test_results_are_dropped_when_their_last_reader_has_run(paths: Paths) -> None:
    class Thing:
        """Something that can be watched."""

    alive: list[int] = []
    things: list[weakref.ref[Thing]] = []

    def make() -> Thing:
        thing = Thing()
        things.append(weakref.ref(thing))
        return thing

    def look(x: Any) -> Any:
        gc.collect()
        alive.append(sum(thing() is not None for thing in things))
        return make()

    inputs, outputs = (InputSpec("x", "T"),), (OutputSpec("T", "T"),)
    specs = {
        "First": NodeSpec("First", "", "", "", (), outputs, function=make),
        "Next": NodeSpec("Next", "", "", "", inputs, outputs, function=look),
    }
    context = Context("", paths, WorkerSettings(), Services())
    executor = Executor(specs, Cache(CacheSettings(max_entries=0)), context, lambda event: None, lambda job: False)
    document = graph(_0=("First", {})) | graph(**{f"_{n}": ("Next", {"x": [str(n - 1), 0]}) for n in range(1, 6)})
    assert isinstance(executor.run(Run("job", None, JsonText.of(document), ("5",))), JobSucceeded)
    assert alive == [1, 1, 1, 1, 1]


def test_ten_thousand_nodes_in_a_row_run_and_are_found_again(executor: Executor, events: list[Event]) -> None:
    document = chain(10_000)
    assert isinstance(run(executor, document, "out"), JobSucceeded)
    assert len(started(events)) == 10_001
    assert isinstance(run(executor, document, "out"), JobSucceeded)
    assert len(started(events)) == 10_001
    assert events[-1] == NodeFinished("job", "client", "out", {"text": ["1"]}, cached=True)


def test_ten_thousand_nodes_into_one_run(executor: Executor, events: list[Event]) -> None:
    document = fan(10_000)
    assert check(document, fake_nodes.load(), FakeFiles()).targets == ("out",)
    assert isinstance(run(executor, document, "out"), JobSucceeded)
    assert events[-1] == NodeFinished("job", "client", "out", {"text": ["0"]})


def test_two_hundred_diamonds_run_each_node_once(executor: Executor, events: list[Event]) -> None:
    document = diamonds(200)
    assert check(document, fake_nodes.load(), FakeFiles()).targets == ("out",)
    assert isinstance(run(executor, document, "out"), JobSucceeded)
    assert len(started(events)) == len(document)
    assert events[-1] == NodeFinished("job", "client", "out", {"text": [str(3**200)]})


@pytest.mark.parametrize("shape", [chain, fan, lambda nodes: diamonds(nodes // 3)], ids=["chain", "fan", "diamonds"])
def test_ten_times_the_nodes_are_ten_times_the_work(executor: Executor, shape: Callable[[int], dict[str, Any]]) -> None:
    specs = fake_nodes.load()

    def work(nodes: int) -> list[int]:
        """To check, to run, to find again, and to find again under other ids."""
        document, renumbered = shape(nodes), renamed(shape(nodes))
        return [
            calls_in(lambda: check(document, specs, FakeFiles())),
            *(calls_in(lambda: run(executor, document, "out")) for _ in range(2)),
            calls_in(lambda: run(executor, renumbered, "other out")),
        ]

    small, large = work(100), work(1000)
    assert all(ten <= 11 * one for one, ten in zip(small, large, strict=True)), (small, large)


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    """The same graph under other ids."""

    def moved(value: Any) -> Any:
        return [f"other {value[0]}", value[1]] if isinstance(value, list) else value

    return {
        f"other {node_id}": {**node, "inputs": {name: moved(value) for name, value in node["inputs"].items()}}
        for node_id, node in document.items()
    }


def test_a_renumbered_graph_is_found_again(executor: Executor, events: list[Event]) -> None:
    run(executor, diamond(1), "out")
    events.clear()
    assert isinstance(run(executor, renamed(diamond(1)), "other out"), JobSucceeded)
    assert started(events) == []
    assert events[-1] == NodeFinished("job", "client", "other out", {"text": ["102"]}, cached=True)


def test_to_find_a_graph_again_is_a_twentieth_of_the_work_of_running_it(executor: Executor) -> None:
    document = chain(1000)
    first, again = (calls_in(lambda: run(executor, document, "out")) for _ in range(2))
    assert again < first / 20, (first, again)


def spec_with(outputs: int) -> NodeSpec:
    return NodeSpec("N", "", "", "", (), tuple(OutputSpec(str(number), "T") for number in range(outputs)))


def test_an_answer_becomes_the_declared_outputs() -> None:
    assert answer_of(spec_with(0), None).outputs == ()
    assert answer_of(spec_with(1), (1, 2)).outputs == ((1, 2),)
    assert answer_of(spec_with(2), fake_nodes.Two(1, 2)).outputs == (1, 2)
    assert answer_of(spec_with(1), Shown(5, {"text": ["x"]})).ui == {"text": ["x"]}


@pytest.mark.parametrize("answer", [None, (1,), (1, 2, 3), [1, 2]])
def test_an_answer_of_another_shape_is_refused(answer: Any) -> None:
    with pytest.raises(TypeError, match="declares 2 outputs"):
        answer_of(spec_with(2), answer)


def test_what_a_node_shows_must_be_json() -> None:
    with pytest.raises(TypeError, match="JSON"):
        answer_of(spec_with(1), Shown(5, {"text": [object()]}))


def test_large_inputs_are_told_as_short_texts(executor: Executor) -> None:
    document = graph(m=("Make", {"value": 3}), f=("Fail", {"x": ["m", 0]}))
    outcome = run(executor, document, "f")
    assert len(json.dumps(dict(outcome.current_inputs))) < 1000
