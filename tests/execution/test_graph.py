"""Reading graphs and walking them."""

from collections.abc import Callable
from typing import Any

import pytest

from execution.graph import (
    BadLink,
    CycleError,
    GraphError,
    GraphLimits,
    Link,
    needed,
    needed_and_cycles,
    ordered,
    parse,
    to_document,
)
from tests.execution.counting import calls_in
from tests.execution.graphs import chain, diamond, graph


def test_lists_become_links_and_marked_lists_values() -> None:
    node = parse(graph(a=("T", {"link": ["b", 1], "list": {"__value__": [1, 2]}, "text": "x"})))["a"]
    assert node.inputs == {"link": Link("b", 1), "list": [1, 2], "text": "x"}


@pytest.mark.parametrize("bad", [[], ["a"], ["a", 0, 1], ["a", "0"], ["a", 1.0], ["a", True], ["a", -1], [3, 0]])
def test_a_list_that_is_no_link_is_kept_for_validation(bad: list[Any]) -> None:
    assert parse(graph(a=("T", {"x": bad})))["a"].inputs["x"] == BadLink(bad)


def test_a_graph_survives_reading_and_writing() -> None:
    document = {
        "1:2": {"inputs": {"x": ["2", 0], "l": {"__value__": [["a", 0]]}}, "class_type": "T", "_meta": {"title": "눈"}},
        "2": {"inputs": {"x": ["2", "0"]}, "class_type": "U"},
    }
    assert to_document(parse(document)) == document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "not null"),
        ([], "not a list"),
        ({"1": 5}, "Node 1 is a number"),
        ({"1": {}}, "no class_type"),
        ({"1": {"class_type": []}}, "no class_type"),
        ({"1": {"class_type": "T", "inputs": []}}, "inputs of node 1 are a list"),
        ({"1": {"class_type": "T", "inputs": {"x": float("nan")}}}, "input x of node 1 is nan"),
        ({"1": {"class_type": "T", "inputs": {"x": {"a": [float("inf")]}}}}, "not a finite number"),
        ({"1": {"class_type": "T", "inputs": {"x": "a\0b"}}}, "character that is none"),
        ({"1": {"class_type": "T", "inputs": {"x": "\ud800"}}}, "character that is none"),
        ({"k" * 257: {"class_type": "T"}}, "257 characters; the limit is 256"),
        ({"1": {"class_type": "T", "inputs": {"x": object()}}}, "JSON does not have"),
    ],
)
def test_what_is_no_graph_is_refused_with_the_place(document: Any, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        parse(document)


@pytest.mark.parametrize(
    ("limits", "document"),
    [
        (GraphLimits(nodes=2), graph(a=("T", {}), b=("T", {}))),
        (GraphLimits(links=1), graph(a=("T", {}), b=("T", {"x": ["a", 0]}))),
        (GraphLimits(inputs_per_node=1), graph(a=("T", {"x": 1}))),
        (GraphLimits(text=3), graph(a=("T", {"x": "abc"}))),
        (GraphLimits(depth=2), graph(a=("T", {"x": {"__value__": [1]}}))),
        (GraphLimits(key=1), graph(a=("T", {"x": 1}))),
    ],
)
def test_a_limit_admits_what_reaches_it_and_refuses_one_more(limits: GraphLimits, document: dict[str, Any]) -> None:
    parse(document, limits)
    [name] = [field for field in GraphLimits.__slots__ if getattr(limits, field) != getattr(GraphLimits(), field)]
    smaller = GraphLimits(**{name: getattr(limits, name) - 1})
    with pytest.raises(GraphError, match=r"limit is|deeper than"):
        parse(document, smaller)


@pytest.mark.parametrize(("nodes", "links", "inputs"), [(10, 100_000, 20_000), (50_000, 250_000, 50_000)])
def test_links_and_inputs_are_admitted_with_the_nodes(nodes: int, links: int, inputs: int) -> None:
    limits = GraphLimits.of(nodes)
    assert (limits.nodes, limits.links, limits.inputs_per_node) == (nodes, links, inputs)


def test_nesting_of_any_depth_is_refused_without_recursion() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = {"x": value}
    with pytest.raises(GraphError, match="nested deeper than 64"):
        parse(graph(a=("T", {"x": value})))


def test_sources_come_before_what_reads_them_and_ties_in_the_order_of_inputs() -> None:
    assert ordered(parse(diamond(1)), ["out"]) == ["start", "constant", "left", "right", "sum", "out"]


def test_only_what_the_targets_need_is_walked() -> None:
    read = parse(diamond(1))
    assert needed(read, ["right"]) == {"right", "start"}
    assert ordered(read, ["right", "left"]) == ["start", "right", "constant", "left"]


def test_known_nodes_hide_what_they_were_made_from() -> None:
    assert ordered(parse(diamond(1)), ["out"], known={"left"}) == ["start", "right", "sum", "out"]


def test_a_cycle_is_named_in_the_order_of_its_links() -> None:
    read = parse(graph(a=("T", {"x": ["b", 0]}), b=("T", {"x": ["c", 0]}), c=("T", {"x": ["b", 0]})))
    with pytest.raises(CycleError) as error:
        ordered(read, ["a"])
    assert error.value.nodes == ["b", "c"]


def test_each_of_several_cycles_is_found() -> None:
    read = parse(graph(a=("T", {"x": ["a", 0]}), b=("T", {"x": ["c", 0]}), c=("T", {"x": ["b", 0], "y": ["a", 0]})))
    assert sorted(map(sorted, needed_and_cycles(read, ["a", "b"])[1])) == [["a"], ["b", "c"]]


def ring(length: int) -> dict[str, Any]:
    document = chain(length)
    document["0"]["inputs"]["x"] = [str(length - 1), 0]
    return document


def test_ten_thousand_nodes_in_a_chain_or_a_cycle_are_walked() -> None:
    assert len(ordered(parse(chain(10_000)), ["out"])) == 10_001
    assert [len(cycle) for cycle in needed_and_cycles(parse(ring(10_000)), ["out"])[1]] == [10_000]


@pytest.mark.parametrize("shape", [chain, ring])
def test_ten_times_the_nodes_are_ten_times_the_steps(shape: Callable[[int], dict[str, Any]]) -> None:
    small, large = (
        calls_in(lambda nodes=nodes: needed_and_cycles(parse(shape(nodes)), ["out"])) for nodes in (200, 2_000)
    )
    assert large <= 11 * small


def test_two_hundred_nested_diamonds_are_walked_once_each() -> None:
    nodes = {"0": ("T", {})} | {str(i): ("T", {"x": [str(i - 1), 0], "y": [str(i - 1), 0]}) for i in range(1, 200)}
    assert len(ordered(parse(graph(**nodes)), ["199"])) == 200
