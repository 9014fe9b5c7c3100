"""Nodes that run a graph in their place, and the loops that are made of them."""

import gc
import weakref
from typing import Any

import pytest

from execution.cache import CacheSettings
from execution.events import JobFailed, JobSucceeded, NodeFinished, NodeStarted, Origin
from nodes.context import Context
from nodes.spec import Blocker, Expansion, NodeSpec, Shown
from tests.execution.bench import bench, spec
from tests.execution.graphs import graph

NOTHING_KEPT = CacheSettings(max_entries=0)


def expanding(result: Any, sub: dict[str, Any], **options: Any) -> NodeSpec:
    """A node that always expands into the same graph."""
    return spec("Expand", lambda a=None: Expansion((result,), sub), "a", optional="a", **options)


MAKE = spec("Make", lambda value: value, "value")
ADD = spec("Add", lambda a, b: a + b, "a b")
PAIR = spec("Pair", lambda: [1, 2], lists="out")


def expanded(**inputs: Any) -> dict[str, Any]:
    return graph(e=("Expand", inputs), out=("Show", {"x": ["e", 0]}))


CASES: dict[str, tuple[Any, dict[str, Any], list[Any]]] = {
    "a link": (["s", 0], graph(s=("Make", {"value": 5})), [5]),
    "a value": (7, graph(s=("Make", {"value": 5})), [7]),
    "two nodes": (["t", 0], graph(s=("Make", {"value": 5}), t=("Add", {"a": ["s", 0], "b": ["s", 0]})), [10]),
    "no node": (3, {}, [3]),
    "an object that JSON does not have": (["s", 0], graph(s=("Make", {"value": 1j})), [1j]),
    "a list that is no link": (["s", 0], graph(s=("Make", {"value": {"__value__": ["s", 0]}})), [["s", 0]]),
    "a node of the graph around it": (["s", 0], graph(s=("Add", {"a": ["m", 0], "b": 1})), [101]),
    "a node around it that nothing has needed before": (["s", 0], graph(s=("Add", {"a": ["q", 0], "b": 1})), [21]),
    "the result of such a node": (["q", 0], {}, [20]),
    "several values": (["s", 0], graph(s=("Pair", {})), [1, 2]),
    "a blocker": (["s", 0], graph(s=("Make", {"value": Blocker()})), []),
}


@pytest.mark.parametrize("cache", [CacheSettings(), NOTHING_KEPT], ids=["cached", "not cached"])
@pytest.mark.parametrize(("result", "sub", "shown"), CASES.values(), ids=CASES)
def test_the_results_of_the_graph_become_those_of_the_node(
    result: Any, sub: dict[str, Any], shown: list[Any], cache: CacheSettings
) -> None:
    seen: list[Any] = []
    look = spec("Look", lambda x: seen.append(x), "x", "", output_node=True)
    board = bench(MAKE, ADD, PAIR, look, expanding(result, sub), cache=cache)
    document = graph(
        m=("Make", {"value": 100}), first=("Show", {"x": ["m", 0]}), e=("Expand", {}), out=("Look", {"x": ["e", 0]}),
        p=("Make", {"value": 10}), q=("Add", {"a": ["p", 0], "b": ["p", 0]}),
    )  # fmt: skip
    assert isinstance(board.run(document, "first", "out"), JobSucceeded)
    assert seen == shown


WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (["s", 0], graph(s=("Gone", {})), "type Gone, which is not installed"),
    (["s", 1], graph(s=("Make", {"value": 1})), "output 1 of a node that has 1"),
    (["zz", 0], graph(s=("Make", {"value": 1})), "a node 'zz' that is not there"),
    (["s", 0], graph(s=("Add", {"a": 1, "b": ["q", 0]})), "input b of Add"),
    (["s", 0], graph(s=("Add", {"a": 1})), "lacks its input b"),
    (["s", 0], {"s": "Make"}, "no object with a class_type"),
    (["s", 0], graph(s=("Add", {"a": ["t", 0], "b": 1}), t=("Add", {"a": ["s", 0], "b": 1})),
     "need each other's results: e.0.0.s -> e.0.0.t -> e.0.0.s"),
    (["s", 0], graph(s=("Add", {"a": ["lost", 0], "b": 1})), "node lost of the type Gone, which is not installed"),
]  # fmt: skip


@pytest.mark.parametrize(("result", "sub", "message"), WRONG)
def test_a_graph_that_cannot_run_is_the_fault_of_the_node_that_gave_it(
    result: Any, sub: dict[str, Any], message: str
) -> None:
    outcome = bench(MAKE, ADD, expanding(result, sub)).run(expanded() | graph(lost=("Gone", {})))
    assert isinstance(outcome, JobFailed)
    assert (outcome.node_id, outcome.node_type) == ("e", "Expand")
    assert message in outcome.message


def test_a_graph_that_needs_the_node_that_gave_it_fails() -> None:
    outcome = bench(ADD, expanding(["s", 0], graph(s=("Add", {"a": ["e", 0], "b": 1})))).run(expanded())
    assert isinstance(outcome, JobFailed)
    assert "needs its own result" in outcome.message


def test_expanded_nodes_are_told_under_ids_of_their_own_as_parts_of_the_node() -> None:
    board = bench(MAKE, expanding(["s", 0], graph(s=("Make", {"value": 5}))))
    board.run(expanded())
    assert [(event.node_id, event.origin) for event in board.of(NodeStarted)] == [
        ("e", None), ("e.0.0.s", Origin("e", "e", "e")), ("out", None),
    ]  # fmt: skip
    assert [event.node_id for event in board.of(NodeFinished)] == ["e.0.0.s", "e", "out"]


def test_a_node_may_say_what_its_parts_are_shown_as() -> None:
    sub = graph(s=("Make", {"value": 5}))
    sub["s"]["override_display_id"] = "other"
    board = bench(MAKE, expanding(["s", 0], sub))
    board.run(expanded() | graph(other=("Make", {"value": 1})))
    assert board.of(NodeStarted)[1].origin == Origin("e", "other", "e")


def test_an_error_inside_is_told_of_the_queued_node() -> None:
    board = bench(spec("Fail", lambda: 1 / 0), expanding(["s", 0], graph(s=("Fail", {}))))
    outcome = board.run(expanded())
    assert isinstance(outcome, JobFailed)
    assert (outcome.node_id, outcome.node_type, outcome.exception_type) == ("e", "Expand", "ZeroDivisionError")
    assert outcome.message == "division by zero\n\nFail has failed, one of the nodes that Expand has expanded into."


def test_output_nodes_inside_run_and_show_even_if_nothing_reads_them() -> None:
    sub = graph(s=("Make", {"value": 5}), show=("Show", {"x": ["s", 0]}), unused=("Make", {"value": 6}))
    board = bench(MAKE, expanding(1, sub))
    board.run(expanded())
    assert sorted(board.shown()) == [1, 5]
    assert "e.0.0.unused" not in board.started()


@pytest.mark.parametrize("kind", ["Expand", "Deep"])
def test_a_node_is_not_remembered_before_the_output_nodes_inside_have_run(kind: str) -> None:
    def fail_once(x: int) -> None:
        tries.append(x)
        if len(tries) == 1:
            raise RuntimeError("disk full")

    tries: list[int] = []
    sub = graph(s=("Make", {"value": 5}), p=("Add", {"a": ["s", 0], "b": 1}), save=("Save", {"x": ["p", 0]}))
    deep = spec("Deep", lambda: Expansion((["t", 0],), graph(t=("Expand", {}))))
    board = bench(MAKE, ADD, deep, spec("Save", fail_once, "x", "", output_node=True), expanding(1, sub))
    document = graph(e=(kind, {}), out=("Show", {"x": ["e", 0]}))
    assert isinstance(board.run(document), JobFailed)
    assert isinstance(board.run(document), JobSucceeded)
    assert isinstance(board.run(document), JobSucceeded)
    assert tries == [6, 6]


def test_what_was_shown_inside_is_told_again_where_the_node_is_found_again() -> None:
    deep = spec("Deep", lambda: Expansion((["t", 0],), graph(t=("Expand", {}))))
    sub = graph(s=("Make", {"value": 5}), show=("Show", {"x": ["s", 0]}))
    board = bench(MAKE, deep, expanding(1, sub))
    for other in ("e", "f", "e"):
        board.events.clear()
        board.run(graph(**{other: ("Deep", {}), "out": ("Show", {"x": [other, 0]})}))
        told = [(event.node_id, event.origin, event.ui) for event in board.of(NodeFinished) if event.ui]
        origin = Origin(f"{other}.0.0.t", other, other)
        assert sorted(told) == [
            (f"{other}.0.0.t.0.0.show", origin, {"text": [5]}), ("out", None, {"text": [1]}),
        ]  # fmt: skip
    assert board.started() == []


def test_what_was_shown_as_another_node_is_again_if_that_is_there() -> None:
    sub = graph(show=("Show", {"x": 5}))
    sub["show"]["override_display_id"] = "other"
    board = bench(MAKE, ADD, expanding(1, sub))
    for other, display in ((("Make", {"value": 1}), "other"), (("Make", {"value": 2}), "other"),
                           (("Add", {"a": 1, "b": 1}), "e")):  # fmt: skip
        board.events.clear()
        board.run(expanded() | graph(other=other))
        assert Origin("e", display, "e") in [event.origin for event in board.of(NodeFinished)]


def test_an_unchanged_node_does_not_expand_again_and_its_parts_are_remembered_too() -> None:
    board = bench(MAKE, ADD, expanding(["s", 0], graph(s=("Add", {"a": 1, "b": 2}))))
    board.run(expanded())
    board.events.clear()
    board.run(expanded())
    assert (board.started(), board.shown()) == ([], [3])
    board.run(expanded(a=1))
    assert board.started() == ["e", "out"]
    assert board.shown() == [3, 3]


def test_each_element_of_a_list_may_expand() -> None:
    double = spec("Double", lambda a: Expansion((["s", 0],), graph(s=("Add", {"a": a, "b": a}))), "a")
    half = spec("Some", lambda a: Expansion((["s", 0],), graph(s=("Add", {"a": a, "b": a}))) if a > 1 else a, "a")
    board = bench(PAIR, ADD, double, half)
    for kind in ("Double", "Some"):
        board.run(graph(p=("Pair", {}), d=(kind, {"a": ["p", 0]}), out=("Show", {"x": ["d", 0]})))
    assert board.shown() == [2, 4, 1, 4]


def test_what_a_node_shows_is_told_once_its_graph_has_run() -> None:
    both = spec("Expand", lambda: Shown(Expansion((["s", 0],), graph(s=("Make", {"value": 5}))), {"text": ["shown"]}))
    board = bench(MAKE, both)
    board.run(graph(e=("Expand", {}), out=("Show", {"x": ["e", 0]})))
    assert board.shown() == ["shown", 5]


def test_expansions_inside_expansions_may_compute() -> None:
    """n! = n × (n − 1)!, each factor by a node that the one before has expanded into."""

    def factorial(n: int) -> Any:
        if n < 2:
            return 1
        return Expansion((["m", 0],), graph(f=("Factorial", {"n": n - 1}), m=("Multiply", {"a": n, "b": ["f", 0]})))

    board = bench(spec("Factorial", factorial, "n"), spec("Multiply", lambda a, b: a * b, "a b"))
    board.run(graph(f=("Factorial", {"n": 400}), out=("Show", {"x": ["f", 0]})))
    (shown,) = board.shown()
    assert str(shown).startswith("6403452284662389526234797031950300585070258302600295945")
    assert max(len(node_id) for node_id in board.started()) < 200


def test_the_ids_of_expanded_nodes_are_the_same_at_every_run() -> None:
    def nested(n: int) -> Any:
        return Expansion((["n", 0],), graph(n=("Nested", {"n": n - 1}))) if n else 0

    board = bench(spec("Nested", nested, "n"), cache=NOTHING_KEPT)
    document = graph(f=("Nested", {"n": 30}), out=("Show", {"x": ["f", 0]}))
    board.run(document)
    first = board.started()
    board.events.clear()
    board.run(document)
    assert board.started() == first
    assert len(set(first)) == len(first) == 32


class Thing:
    """The state that a loop hands from one round to the next."""

    alive: list[weakref.ref["Thing"]]

    def __init__(self, count: int, alive: list[weakref.ref["Thing"]]) -> None:
        self.count = count
        alive.append(weakref.ref(self))


@pytest.mark.parametrize("cache", [NOTHING_KEPT, CacheSettings(max_entries=8)])
def test_a_loop_of_a_thousand_rounds_holds_two_rounds_at_a_time(cache: CacheSettings) -> None:
    """As packs make them: the loop's end expands into a copy of the body and of itself."""
    things: list[weakref.ref[Thing]] = []
    most = {"alive": 0, "nodes": 0}

    def loop(context: Context, thing: Thing, model: Any, dynprompt: Any) -> Any:
        if thing.count % 250 == 0:
            gc.collect()
            most["alive"] = max(most["alive"], sum(one() is not None for one in things))
            most["nodes"] = max(most["nodes"], len(dynprompt.all_node_ids()))
        if not thing.count:
            return thing
        body = graph(
            step=("Step", {"thing": thing, "model": ["model", 0]}),
            next=("Loop", {"thing": ["step", 0], "model": ["model", 0]}),
        )
        return Expansion((["next", 0],), body)

    board = bench(
        spec("Model", object, cached=False),
        spec("Start", lambda count: Thing(count, things), "count"),
        spec("Step", lambda thing, model: Thing(thing.count - 1, things), "thing model"),
        spec("Loop", loop, "thing model", hidden={"dynprompt": "DYNPROMPT"}, context_parameter="context"),
        spec("Count", lambda thing: thing.count, "thing"),
        cache=cache,
    )
    document = graph(
        model=("Model", {}), s=("Start", {"count": 1000}), step=("Step", {"thing": ["s", 0], "model": ["model", 0]}),
        loop=("Loop", {"thing": ["step", 0], "model": ["model", 0]}), c=("Count", {"thing": ["loop", 0]}),
        out=("Show", {"x": ["c", 0]}),
    )  # fmt: skip
    assert isinstance(board.run(document), JobSucceeded)
    assert board.shown() == [0]
    assert board.started().count("model") == 1
    assert most["alive"] <= 6 + (cache.max_entries or 0)
    assert most["nodes"] <= 12
