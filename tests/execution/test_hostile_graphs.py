"""Whatever stands anywhere in a graph, the answer is a list of problems and never an exception."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from execution.validation import check
from execution.workflow import WorkflowError, to_graph
from tests.execution import fake_nodes
from tests.execution.fake_host import FakeFiles
from tests.execution.graphs import graph
from web.server import strict_json

SPECS = fake_nodes.load()
GRAPH = graph(
    _1=("Make", {"value": 3}),
    _2=("Add", {"a": ["1", 0], "b": ["1", 0]}),
    _3=("Widgets", {"number": 3, "mode": "fast", "file": "a.safetensors", "real": 0.5, "text": "x", "flag": True}),
    _4=("Show", {"x": ["2", 0]}),
) | {"5": {"class_type": "Split", "inputs": {"x": ["1", 0]}, "_meta": {"title": "t"}}}
WORKFLOW = {
    "version": 0.4,
    "nodes": [
        {"id": 1, "type": "Make", "mode": 0, "order": 0, "widgets_values": [7], "inputs": [], "properties": {},
         "outputs": [{"name": "THING", "type": "THING", "links": [1]}]},
        {"id": 2, "type": "sub", "mode": 0, "order": 1, "outputs": [], "widgets_values": [],
         "inputs": [{"name": "x", "type": "THING", "link": 1, "widget": {"name": "x"}}]},
        {"id": 3, "type": "workflow>G", "mode": 4, "order": 2, "inputs": [], "outputs": [], "widgets_values": [1]},
    ],
    "links": [[1, 1, 0, 2, 0, "THING"]],
    "definitions": {"subgraphs": [{"id": "sub", "nodes": [], "links": [], "inputs": [{"name": "x"}], "outputs": []}]},
    "extra": {"groupNodes": {"G": {"nodes": [{"type": "Make", "index": 0, "widgets_values": [1]}], "links": [],
                                   "external": [], "config": {"0": {}}}}},
}  # fmt: skip
OTHERS: list[Any] = [
    None, True, -1, 2**63, -0.0, 1e300, "", "x" * 300, "\u202egnp.\N{GRINNING FACE}", [], [[]], ["1", 0], ["1", -1],
    ["1", 99], ["1", "0"], ["1", 1.0], ["1", True], ["nowhere", 0], {}, {"__value__": []}, {"__value__": 5},
    {"__proto__": {}},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def changed(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    result = copy.deepcopy(value)
    around = result
    for key in path[:-1]:
        around = around[key]
    around[path[-1]] = other
    return result


@pytest.mark.parametrize("path", list(places(GRAPH)), ids=str)
def test_any_value_anywhere_in_a_graph_is_answered(path: tuple[Any, ...]) -> None:
    for other in OTHERS:
        checked = check(changed(GRAPH, path, other), SPECS, FakeFiles())
        assert checked.targets or checked.error is not None
        strict_json.parse(json.dumps([checked.graph.read(), checked.error and checked.error.message]).encode())


@pytest.mark.parametrize("path", list(places(WORKFLOW)), ids=str)
def test_any_value_anywhere_in_a_workflow_is_drawn_or_refused(path: tuple[Any, ...]) -> None:
    for other in OTHERS:
        try:
            drawn = to_graph(changed(WORKFLOW, path, other), SPECS)
        except WorkflowError:
            continue
        check(drawn, SPECS, FakeFiles())


@pytest.mark.parametrize("name", ["__proto__", "constructor", "toString", "🐈", "1:2", " ", "__class__"])
def test_names_that_mean_something_elsewhere_are_names_here(name: str) -> None:
    document = {name: {"class_type": "Make", "inputs": {}}, "out": {"class_type": "Show", "inputs": {"x": [name, 0]}}}
    assert check(document, SPECS, FakeFiles()).targets == ("out",)
    checked = check({"1": {"class_type": name, "inputs": {name: 1}}}, SPECS, FakeFiles())
    assert checked.error is not None
