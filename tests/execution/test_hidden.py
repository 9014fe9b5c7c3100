"""Inputs that the engine fills in, and the keys of nodes that are told who they are."""

from typing import Any

import pytest

from execution.events import JobSucceeded
from execution.hidden import NodeNotFoundError
from nodes.spec import Expansion
from tests.execution.bench import bench, spec
from tests.execution.graphs import graph


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("UNIQUE_ID", "n"),
        ("PROMPT", graph(n=("Node", {}), out=("Show", {"x": ["n", 0]}))),
        ("EXTRA_PNGINFO", {"workflow": {"id": "w"}}),
        ("AUTH_TOKEN_COMFY_ORG", "token"),
        ("API_KEY_COMFY_ORG", "key"),
        ("NOBODY_KNOWS", None),
    ],
)
def test_hidden_inputs_are_filled_by_their_kind(kind: str, value: Any) -> None:
    seen: list[Any] = []
    board = bench(spec("Node", lambda told: seen.append(told), hidden={"told": kind}))
    board.run(
        graph(n=("Node", {}), out=("Show", {"x": ["n", 0]})),
        extra_pnginfo={"workflow": {"id": "w"}}, auth_token_comfy_org="token", api_key_comfy_org="key",
    )  # fmt: skip
    assert seen == [value]


def test_a_node_that_takes_lists_gets_hidden_inputs_as_lists() -> None:
    seen: list[Any] = []
    board = bench(spec("Node", lambda me: seen.append(me), hidden={"me": "UNIQUE_ID"}, takes_lists=True))
    board.run(graph(n=("Node", {}), out=("Show", {"x": ["n", 0]})))
    assert seen == [["n"]]


def test_a_node_may_look_at_the_graph_as_it_runs() -> None:
    seen: dict[str, Any] = {}

    def look(dynprompt: Any, me: str) -> None:
        seen[me] = dynprompt

    def expand() -> Any:
        return Expansion((["p", 0],), graph(p=("Look", {}), o=("Show", {"x": ["p", 0]})))

    board = bench(spec("Look", look, hidden={"dynprompt": "DYNPROMPT", "me": "UNIQUE_ID"}), spec("Expand", expand))
    document = graph(e=("Expand", {}), out=("Show", {"x": ["e", 0]}))
    found: list[Any] = []

    def now(event: Any) -> None:
        if getattr(event, "node_id", "") == "e.0.0.o" and not found:
            there = seen["e.0.0.p"]
            found.extend(
                [
                    there.get_node("e.0.0.o")["inputs"], there.get_node("out") == document["out"], there.has_node("zz"),
                    there.get_parent_node_id("e.0.0.p"), there.get_real_node_id("e.0.0.p"),
                    there.get_display_node_id("e.0.0.p"), there.get_parent_node_id("e"), there.get_real_node_id("e"),
                    there.get_original_prompt() == document, there.all_node_ids(),
                ]
            )  # fmt: skip

    board.emitted = now
    assert isinstance(board.run(document), JobSucceeded)
    assert found == [
        {"x": ["e.0.0.p", 0]}, True, False, "e", "e", "e", None, "e", True, {"e", "out", "e.0.0.p", "e.0.0.o"},
    ]  # fmt: skip
    with pytest.raises(NodeNotFoundError, match="zz"):
        seen["e.0.0.p"].get_node("zz")


def test_a_raw_input_gets_the_link_after_its_source_has_run() -> None:
    seen: list[Any] = []
    board = bench(spec("Make", lambda: 5), spec("Raw", lambda a: seen.append(a), "a", raw="a"))
    board.run(graph(m=("Make", {}), r=("Raw", {"a": ["m", 0]}), out=("Show", {"x": ["r", 0]})))
    assert board.started() == ["m", "r", "out"]
    assert seen == [["m", 0]]


def test_a_raw_link_is_another_one_when_its_source_is_renumbered() -> None:
    seen: list[Any] = []
    board = bench(spec("Make", lambda: 5), spec("Raw", lambda a: seen.append(a), "a", raw="a"))
    for source in ("m", "n"):
        board.run(
            {source: graph(m=("Make", {}))["m"]} | graph(r=("Raw", {"a": [source, 0]}), out=("Show", {"x": ["r", 0]}))
        )
    assert seen == [["m", 0], ["n", 0]]


def test_open_inputs_are_given_under_whatever_name() -> None:
    board = bench(
        spec("Make", lambda: 5),
        spec("Open", lambda **all: str(all), "b", open_inputs=True),
        spec("Linked", lambda **all: str(all), "b", open_links=True),
        spec("Closed", lambda **all: str(all), "b"),
    )
    for kind in ("Open", "Linked", "Closed"):
        board.run(graph(m=("Make", {}), o=(kind, {"z": ["m", 0], "b": 1, "c": 2}), out=("Show", {"x": ["o", 0]})))
    assert board.shown() == ["{'b': 1, 'z': 5, 'c': 2}", "{'b': 1, 'z': 5}", "{'b': 1}"]


@pytest.mark.parametrize(
    "options",
    [{"hidden": {"me": "UNIQUE_ID"}}, {"hidden": {"me": "DYNPROMPT"}}, {"keyed_by_id": True}],
    ids=["told its id", "told the graph", "says so"],
)
def test_a_node_that_is_keyed_by_its_id_is_not_taken_for_an_equal_one(options: dict[str, Any]) -> None:
    def document(node_id: str) -> dict[str, Any]:
        return {node_id: {"class_type": "Node", "inputs": {}}} | graph(out=("Show", {"x": [node_id, 0]}))

    board = bench(spec("Node", lambda me=None: 1, **options))
    for node_id in ("a", "b", "a"):
        board.run(document(node_id))
    assert board.started() == ["a", "out", "b", "out"]


@pytest.mark.parametrize(
    ("told", "runs"), [("same", 1), (7, 1), (float("nan"), 2), (None, 1)], ids=["text", "number", "NaN", "nothing"]
)
def test_a_fingerprint_that_is_not_equal_to_itself_makes_a_node_run_again(told: Any, runs: int) -> None:
    given: list[Any] = []

    def fingerprint(**inputs: Any) -> Any:
        given.append(inputs)
        return told

    board = bench(
        spec("Make", lambda: 5),
        spec("Node", lambda a, b, me: a, "a b", hidden={"me": "UNIQUE_ID"}, fingerprint=fingerprint),
    )
    for _ in range(2):
        board.run(graph(m=("Make", {}), n=("Node", {"a": ["m", 0], "b": 3}), out=("Show", {"x": ["n", 0]})))
    assert board.started().count("n") == runs
    assert given[0] == {"a": None, "b": 3, "me": "n"}


def test_a_fingerprint_may_be_a_coroutine() -> None:
    async def fingerprint() -> str:
        return "same"

    board = bench(spec("Node", lambda: 1, fingerprint=fingerprint))
    for _ in range(2):
        board.run(graph(n=("Node", {}), out=("Show", {"x": ["n", 0]})))
    assert board.started() == ["n", "out"]
