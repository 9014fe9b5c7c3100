"""Values that keep what reads them from running."""

from typing import Any

import pytest

from execution.events import JobSucceeded, NodeBlocked
from nodes.spec import Blocker
from tests.execution.bench import bench, spec
from tests.execution.graphs import graph


def gate(message: str | None) -> Any:
    return spec("Gate", lambda: Blocker(message))


def items(*values: Any) -> Any:
    return spec("Items", lambda: list(values), lists="out")


MAKE = spec("Make", lambda: 1)
PASS = spec("Pass", lambda a: a, "a")
PAIR = spec("Pair", lambda a, b: (a, b), "a b", "first second")
COUNT = spec("Count", lambda a: len(a), "a", takes_lists=True)


@pytest.mark.parametrize("message", [None, "no picture"])
def test_what_reads_a_blocker_is_skipped_and_all_else_runs(message: str | None) -> None:
    board = bench(gate(message), MAKE, PASS)
    document = graph(
        g=("Gate", {}), p=("Pass", {"a": ["g", 0]}), q=("Pass", {"a": ["p", 0]}), lost=("Show", {"x": ["q", 0]}),
        m=("Make", {}), out=("Show", {"x": ["m", 0]}),
    )  # fmt: skip
    assert isinstance(board.run(document, "lost", "out"), JobSucceeded)
    assert set(board.started()) == {"g", "m", "out"}
    assert [(told.node_id, told.node_type, told.message) for told in board.of(NodeBlocked)] == (
        [] if message is None else [("p", "Pass", message)]
    )


def test_one_blocked_input_blocks_all_outputs() -> None:
    board = bench(gate(None), MAKE, PAIR)
    document = graph(
        g=("Gate", {}), m=("Make", {}), p=("Pair", {"a": ["m", 0], "b": ["g", 0]}),
        one=("Show", {"x": ["p", 0]}), two=("Show", {"x": ["p", 1]}),
    )  # fmt: skip
    assert isinstance(board.run(document, "one", "two"), JobSucceeded)
    assert board.shown() == []


def test_a_blocker_in_a_list_skips_its_element_alone() -> None:
    board = bench(items(1, Blocker(), 3), PASS)
    board.run(graph(i=("Items", {}), p=("Pass", {"a": ["i", 0]}), out=("Show", {"x": ["p", 0]})))
    assert board.shown() == [1, 3]


def test_a_blocker_in_a_list_that_is_taken_whole_blocks_the_node() -> None:
    board = bench(items(1, Blocker("two is missing")), COUNT)
    board.run(graph(i=("Items", {}), c=("Count", {"a": ["i", 0]}), out=("Show", {"x": ["c", 0]})))
    assert board.shown() == []
    assert [told.node_id for told in board.of(NodeBlocked)] == ["c"]


def test_a_message_is_told_again_by_the_next_run_of_the_same_graph() -> None:
    board = bench(gate("no picture"))
    document = graph(g=("Gate", {}), out=("Show", {"x": ["g", 0]}))
    board.run(document)
    board.run(document)
    assert len(board.of(NodeBlocked)) == 2
