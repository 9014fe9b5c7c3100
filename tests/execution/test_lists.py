"""Values that stand for several: what a node is called with, and what its answers become."""

from typing import Any

import pytest

from execution.cache import Result
from execution.events import JobFailed, JobSucceeded
from execution.lists import Answer, Listed, calls, joined
from nodes.spec import Blocker, Shown
from tests.execution.bench import bench, spec
from tests.execution.graphs import graph

SPLIT = spec("Split", lambda text: list(text), "text", lists="out")
JOIN = spec("Join", lambda **lists: str(lists), "a b", takes_lists=True, optional="a b")
PAIR = spec("Pair", lambda a, b: f"{a}{b}", "a b")


def pair(a: str, b: str) -> dict[str, Any]:
    return graph(
        a=("Split", {"text": a}), b=("Split", {"text": b}),
        p=("Pair", {"a": ["a", 0], "b": ["b", 0]}), out=("Show", {"x": ["p", 0]}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "called_with"),
    [
        ({}, [{}]),
        ({"a": 1, "b": [2]}, [{"a": 1, "b": [2]}]),
        ({"a": Listed((1, 2)), "b": 7}, [{"a": 1, "b": 7}, {"a": 2, "b": 7}]),
        ({"a": Listed((1, 2, 3)), "b": Listed((7, 8))}, [{"a": 1, "b": 7}, {"a": 2, "b": 8}, {"a": 3, "b": 8}]),
        ({"a": Listed(), "b": 7}, []),
    ],
    ids=["nothing", "single", "with a single", "shorter repeats its last", "empty"],
)
def test_a_node_is_called_once_for_each_element(inputs: dict[str, Any], called_with: list[dict[str, Any]]) -> None:
    assert calls(inputs, takes_lists=False) == called_with


@pytest.mark.parametrize(
    ("inputs", "called_with"),
    [
        ({"a": 1, "b": Listed((1, 2))}, {"a": [1], "b": [1, 2]}),
        ({"a": Listed()}, {"a": []}),
        ({"a": [1]}, {"a": [[1]]}),
    ],
)
def test_a_node_that_takes_lists_is_called_once_with_all(inputs: dict[str, Any], called_with: dict[str, Any]) -> None:
    assert calls(inputs, takes_lists=True) == [called_with]


ONE, LIST = spec("N", print, outputs="a"), spec("N", print, outputs="a", lists="a")


@pytest.mark.parametrize(
    ("declared", "answers", "result"),
    [
        (ONE, [Answer((1,))], Result((1,))),
        (ONE, [Answer(([1, 2],))], Result(([1, 2],))),
        (ONE, [Answer((1,)), Answer((2,))], Result((Listed((1, 2)),))),
        (ONE, [], Result((Listed(),))),
        (LIST, [Answer(([1, 2],))], Result((Listed((1, 2)),))),
        (LIST, [Answer(([1],))], Result((1,))),
        (LIST, [Answer(([],))], Result((Listed(),))),
        (LIST, [Answer(([1, 2],)), Answer(([3],))], Result((Listed((1, 2, 3)),))),
        (LIST, [Answer((Blocker(),)), Answer(([3],))], Result((Listed((Blocker(), 3)),))),
        (ONE, [Answer((1,), {"t": [1]}), Answer((2,), {"t": [2], "u": [0]})],
         Result((Listed((1, 2)),), {"t": [1, 2], "u": [0]})),
    ],
)  # fmt: skip
def test_the_answers_of_all_calls_become_one_result(declared: Any, answers: list[Answer], result: Result) -> None:
    assert joined(declared, answers) == result


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [("xy", "12", ["x1", "y2"]), ("xyz", "1", ["x1", "y1", "z1"]), ("xy", "", []), ("x", "1", ["x1"])],
)
def test_lists_run_through_a_graph_element_by_element(a: str, b: str, shown: list[str]) -> None:
    board = bench(SPLIT, PAIR)
    assert isinstance(board.run(pair(a, b)), JobSucceeded)
    assert board.shown() == shown


def test_widgets_are_lists_of_one_for_a_node_that_takes_lists() -> None:
    board = bench(SPLIT, JOIN)
    board.run(graph(s=("Split", {"text": "xy"}), j=("Join", {"a": ["s", 0], "b": 3}), out=("Show", {"x": ["j", 0]})))
    assert board.shown() == ["{'a': ['x', 'y'], 'b': [3]}"]


def test_a_mapped_node_is_told_once_and_shows_everything() -> None:
    both = spec("Both", lambda a: Shown(a, {"text": [a], a: [1]}), "a", output_node=True)
    board = bench(SPLIT, both)
    board.run(graph(s=("Split", {"text": "xy"}), out=("Both", {"a": ["s", 0]})))
    assert board.started() == ["s", "out"]
    assert board.events[-1].ui == {"text": ["x", "y"], "x": [1], "y": [1]}  # type: ignore[union-attr]


def test_a_mapped_result_is_remembered_whole() -> None:
    board = bench(SPLIT, PAIR)
    board.run(pair("xy", "12"))
    assert isinstance(board.run(pair("xy", "12")), JobSucceeded)
    assert board.shown() == ["x1", "y2"] * 2
    assert len(board.started()) == 4


def test_a_failure_in_one_element_is_the_failure_of_the_node() -> None:
    board = bench(SPLIT, spec("Number", lambda a: int(a), "a"))
    outcome = board.run(
        graph(s=("Split", {"text": "1x"}), n=("Number", {"a": ["s", 0]}), out=("Show", {"x": ["n", 0]}))
    )
    assert isinstance(outcome, JobFailed)
    assert (outcome.node_id, outcome.exception_type) == ("n", "ValueError")


def test_what_is_no_list_in_the_place_of_one_is_the_nodes_failure() -> None:
    board = bench(spec("Bad", lambda: 5, lists="out"))
    outcome = board.run(graph(b=("Bad", {}), out=("Show", {"x": ["b", 0]})))
    assert isinstance(outcome, JobFailed)
    assert outcome.node_id == "b"
    assert "list" in outcome.message
