"""Inputs that are evaluated only if their node wants them."""

import gc
import weakref
from collections.abc import Iterable
from typing import Any

import pytest

from execution.cache import CacheSettings
from execution.events import JobFailed, JobSucceeded
from nodes.spec import Blocker
from tests.execution.bench import bench, spec
from tests.execution.graphs import graph


def make(value: Any) -> Any:
    return value


def chosen(which: str, **inputs: Any) -> Iterable[str]:
    return [name for name in which if inputs[name] is None]


MAKE = spec("Make", make, "value")
PASS = spec("Pass", lambda x: x, "x")
CHOOSE = spec("Choose", lambda which, a=None, b=None: f"{which} {a} {b}", "which a b", lazy="a b", needed=chosen)


def choice(which: str) -> dict[str, Any]:
    return graph(
        one=("Make", {"value": 1}), a=("Pass", {"x": ["one", 0]}), two=("Make", {"value": 2}),
        b=("Pass", {"x": ["two", 0]}), c=("Choose", {"which": which, "a": ["a", 0], "b": ["b", 0]}),
        out=("Show", {"x": ["c", 0]}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("which", "ran", "shown"),
    [
        ("a", ["one", "a", "c", "out"], "a 1 None"),
        ("b", ["two", "b", "c", "out"], "b None 2"),
        ("ab", ["one", "two", "a", "b", "c", "out"], "ab 1 2"),
        ("", ["c", "out"], " None None"),
    ],
)
def test_only_what_the_node_asks_for_is_evaluated(which: str, ran: list[str], shown: str) -> None:
    board = bench(MAKE, PASS, CHOOSE)
    assert isinstance(board.run(choice(which)), JobSucceeded)
    assert sorted(board.started()) == sorted(ran)
    assert board.shown() == [shown]


def test_the_choice_may_come_from_another_node() -> None:
    board = bench(MAKE, PASS, CHOOSE)
    document = choice("") | graph(w=("Make", {"value": "b"}))
    document["c"]["inputs"]["which"] = ["w", 0]
    board.run(document)
    assert board.shown() == ["b None 2"]


def test_a_node_is_asked_again_until_it_wants_nothing_more() -> None:
    asked: list[tuple[Any, Any]] = []

    def step_by_step(a: Any, b: Any) -> Iterable[str]:
        asked.append((a, b))
        return ["a"] if a is None else ["b"] if b is None else []

    board = bench(MAKE, spec("Both", lambda a, b: a + b, "a b", lazy="a b", needed=step_by_step))
    board.run(
        graph(
            one=("Make", {"value": 1}), two=("Make", {"value": 2}), c=("Both", {"a": ["one", 0], "b": ["two", 0]}),
            out=("Show", {"x": ["c", 0]}),
        )
    )  # fmt: skip
    assert asked == [(None, None), (1, None)]
    assert board.shown() == [3]


def test_lazy_inputs_with_values_are_just_given() -> None:
    board = bench(CHOOSE)
    board.run(graph(c=("Choose", {"which": "a", "a": 5, "b": 6}), out=("Show", {"x": ["c", 0]})))
    assert board.shown() == ["a 5 6"]


def test_what_another_node_evaluates_is_given_without_asking() -> None:
    board = bench(MAKE, PASS, CHOOSE, spec("After", lambda x: "", "x"))
    document = choice("") | graph(w=("After", {"x": ["a", 0]}))
    document["c"]["inputs"]["which"] = ["w", 0]
    board.run(document)
    assert board.shown() == [" 1 None"]


@pytest.mark.parametrize("cache", [CacheSettings(), CacheSettings(max_entries=0)])
def test_what_was_evaluated_long_ago_is_not_evaluated_again(cache: CacheSettings) -> None:
    """Another node reads the source of the lazy input, and has finished when the lazy node asks for it."""
    board = bench(MAKE, PASS, CHOOSE, spec("After", lambda x: "a", "x"), cache=cache)
    document = choice("") | graph(first=("Pass", {"x": ["one", 0]}), w=("After", {"x": ["first", 0]}))
    document["c"]["inputs"]["which"] = ["w", 0]
    board.run(document)
    assert board.started().count("one") == 1
    assert board.shown() == ["a 1 None"]


def test_asking_for_what_is_not_there_is_no_endless_loop() -> None:
    board = bench(MAKE, spec("Greedy", lambda a, b=None: a, "a b", lazy="a", needed=lambda **inputs: ["a", "b", "zzz"]))
    board.run(graph(m=("Make", {"value": 1}), g=("Greedy", {"a": ["m", 0]}), out=("Show", {"x": ["g", 0]})))
    assert board.shown() == [1]


def test_a_node_may_be_asked_by_a_coroutine_and_answer_with_one_name() -> None:
    async def first(**inputs: Any) -> str:
        return "a"

    board = bench(MAKE, spec("First", lambda a, b: (a, b), "a b", "x y", lazy="a b", needed=first))
    document = graph(
        m=("Make", {"value": 1}), n=("Make", {"value": 2}), f=("First", {"a": ["m", 0], "b": ["n", 0]}),
        out=("Show", {"x": ["f", 1]}),
    )  # fmt: skip
    board.run(document)
    assert board.shown() == [None]


def test_each_element_of_a_list_may_ask() -> None:
    board = bench(MAKE, PASS, CHOOSE, spec("Both", lambda: ["a", "b"], lists="out"))
    document = choice("") | graph(w=("Both", {}))
    document["c"]["inputs"]["which"] = ["w", 0]
    board.run(document)
    assert board.shown() == ["a 1 2", "b 1 2"]


def test_an_error_in_asking_is_the_nodes() -> None:
    def fails(**inputs: Any) -> list[str]:
        raise ValueError("cannot say")

    board = bench(MAKE, spec("Bad", make, "value", lazy="value", needed=fails))
    outcome = board.run(graph(m=("Make", {"value": 1}), b=("Bad", {"value": ["m", 0]}), out=("Show", {"x": ["b", 0]})))
    assert isinstance(outcome, JobFailed)
    assert (outcome.node_id, outcome.message) == ("b", "cannot say")


def test_results_that_only_an_unasked_input_could_read_are_let_go() -> None:
    class Thing:
        """Something that can be watched."""

    things: list[weakref.ref[Thing]] = []
    alive: list[int] = []

    def thing() -> Thing:
        made = Thing()
        things.append(weakref.ref(made))
        return made

    def count(x: Any) -> None:
        gc.collect()
        alive.append(sum(one() is not None for one in things))

    board = bench(
        spec("Thing", thing), spec("Use", lambda x: "", "x"), CHOOSE, spec("Count", count, "x"),
        cache=CacheSettings(max_entries=0),
    )  # fmt: skip
    document = graph(
        t=("Thing", {}), u=("Use", {"x": ["t", 0]}), c=("Choose", {"which": ["u", 0], "a": ["t", 0]}),
        n=("Count", {"x": ["c", 0]}), out=("Show", {"x": ["n", 0]}),
    )  # fmt: skip
    board.run(document)
    assert alive == [0]


def test_a_node_is_not_asked_about_a_blocker() -> None:
    asked: list[Any] = []

    def needed(a: Any, b: Any) -> list[str]:
        asked.append((a, b))
        return ["b"] if b is None else []

    board = bench(
        MAKE, spec("Stop", Blocker), spec("Add", lambda a, b: a + b, "a b", lazy="b", needed=needed),
        spec("Some", lambda: [Blocker(), 5], lists="out"),
    )  # fmt: skip
    rest = graph(one=("Make", {"value": 1}), out=("Show", {"x": ["add", 0]}))
    for source, shown in (("Stop", []), ("Some", [6])):
        document = graph(a=(source, {}), add=("Add", {"a": ["a", 0], "b": ["one", 0]})) | rest
        assert isinstance(board.run(document), JobSucceeded)
        assert board.shown() == shown
    assert asked == [(5, None)]
