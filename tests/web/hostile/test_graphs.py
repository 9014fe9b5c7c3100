"""Graphs of any size and of any kind of wrongness: they run, or each fault is told on its node and input."""

from typing import Any

import pytest

from tests.execution.graphs import chain, diamonds, graph, shown
from tests.web.hostile.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAILED = "prompt_outputs_failed_validation"


@pytest.mark.parametrize(
    "slot", [-1, 1, 99, 2**64 - 1, "0", 1.0, 0.0, 0.5, True, False, None, [], {}], ids=lambda slot: f"slot {slot!r}"
)
async def test_a_link_from_an_output_that_is_none_is_told_on_its_input(server: Server, slot: Any) -> None:
    sent = await server.queue(graph(a=("Make", {}), o=("Show", {"x": ["a", slot]})))
    assert (sent.status, sent.type) == (400, FAILED)
    assert sent.problems("o") == [("bad_linked_input", "x")]
    assert sent.said["node_errors"]["o"]["errors"][0]["extra_info"]["received_value"] == ["a", slot]


@pytest.mark.parametrize(
    "source", ["9", "", "constructor", "x" * 5000, 1, None, ["a"], {"a": 1}], ids=lambda one: f"{one!r:.20}"
)
async def test_a_link_from_a_node_that_is_not_there_is_told_on_its_input(server: Server, source: Any) -> None:
    sent = await server.queue(graph(a=("Make", {}), o=("Show", {"x": [source, 0]})))
    assert (sent.status, sent.type) == (400, FAILED)
    assert sent.problems("o") == [("bad_linked_input", "x")]


@pytest.mark.parametrize(
    ("node", "inputs", "type"),
    [
        ("Show", {"x": "a text"}, "invalid_input_type"),
        ("Show", {"x": {"a": 1}}, "invalid_input_type"),
        ("Show", {"x": None}, "invalid_input_type"),
        ("Show", {"x": {"__value__": [1]}}, "invalid_input_type"),
        ("Show", {"x": []}, "bad_linked_input"),
        ("Show", {"x": ["m", 0, 0]}, "bad_linked_input"),
        ("ShowOther", {"x": ["m", 0]}, "return_type_mismatch"),
        ("Say", {"text": ["m", 0]}, "return_type_mismatch"),
        ("Blank", {"width": ["m", 0], "height": 1}, "return_type_mismatch"),
        ("Blank", {"width": [1, 2], "height": 1}, "bad_linked_input"),
        ("Blank", {"width": "wide", "height": 1}, "invalid_input_type"),
        ("Blank", {"width": 0, "height": 1}, "value_smaller_than_min"),
        ("Blank", {"width": 16385, "height": 1}, "value_bigger_than_max"),
        ("Choose", {"how": ["m", 0]}, "bad_linked_input"),
        ("Choose", {"how": "twice"}, "value_not_in_list"),
        ("Show", {}, "required_input_missing"),
    ],
)
async def test_what_an_input_cannot_take_is_told_on_it(
    server: Server, node: str, inputs: dict[str, Any], type: str
) -> None:
    sent = await server.queue(graph(m=("Make", {}), o=(node, inputs)))
    assert (sent.status, sent.type) == (400, FAILED)
    assert sent.problems("o") == [(type, next(iter(inputs), "x"))]


async def test_what_is_in_order_runs_though_the_rest_is_not(server: Server) -> None:
    sent = await server.queue(shown(3) | graph(o=("Show", {"x": ["gone", 0]})))
    assert (sent.status, sent.problems("o")) == (200, [("bad_linked_input", "x")])
    assert (await server.ended(sent.said["prompt_id"]))["outputs"] == {"2": {"text": ["3"]}}


def cycle(length: int) -> dict[str, Any]:
    document = chain(length)
    document["0"] = {"class_type": "Pass", "inputs": {"x": [str(length - 1), 0]}}
    return document


@pytest.mark.parametrize("length", [1, 2, 10, 11, 10_000])
async def test_a_cycle_is_told_with_ten_of_its_nodes_at_most(server: Server, length: int) -> None:
    sent = await server.queue(cycle(length))
    assert (sent.status, sent.type) == (400, FAILED)
    [node_id] = sent.said["node_errors"]
    [problem] = sent.said["node_errors"][node_id]["errors"]
    assert problem["type"] == "dependency_cycle"
    assert len(problem["extra_info"]["cycle_nodes"]) == min(length, 10)
    assert ("more" in problem["details"]) is (length > 10)
    assert sent.said["node_errors"][node_id]["dependent_outputs"] == ["out"]
    assert sent.length < 2000


async def test_cycles_by_the_thousand_are_told_shortly(server: Server) -> None:
    loops = {str(n): {"class_type": "Add", "inputs": {"a": [str(n), 0], "b": [str(n - 1), 0]}} for n in range(1, 5_000)}
    sent = await server.queue(graph(_0=("Make", {}), out=("Show", {"x": ["4999", 0]})) | loops)
    assert (sent.status, len(sent.said["node_errors"])) == (400, 100)


def numbers(count: int) -> dict[str, Any]:
    return {f"n{n}": {"class_type": "Number", "inputs": {"value": n}} for n in range(count)}


def all_to_one() -> dict[str, Any]:
    """Ten thousand numbers, all of them linked to a node that takes any name, and to one whose inputs grow."""
    named = {"class_type": "Gather", "inputs": {f"x{n}": [f"n{n}", 0] for n in range(10_000)}}
    grown = {"class_type": "Total", "inputs": {f"numbers.number{n}": [f"n{n}", 0] for n in range(10_000)}}
    return numbers(10_000) | {"named": named, "grown": grown}


def each_to_an_output(count: int) -> dict[str, Any]:
    return numbers(count) | {f"o{n}": {"class_type": "Show", "inputs": {"x": [f"n{n}", 0]}} for n in range(count)}


SUM = {"text": [str(sum(range(10_000)))]}
LARGE = {
    "a chain": (chain(10_000), {"out": {"text": ["1"]}}),
    "nested diamonds": (diamonds(200), {"out": {"text": [str(3**200)]}}),
    "10,000 links into one node": (all_to_one(), {"named": SUM, "grown": SUM}),
    "5,000 outputs": (each_to_an_output(5_000), {f"o{n}": {"text": [str(n)]} for n in range(5_000)}),
}


@pytest.mark.parametrize("name", LARGE)
async def test_large_graphs_run_whole(server: Server, name: str) -> None:
    document, outputs = LARGE[name]
    entry = await server.run(document)
    assert entry["outputs"] == outputs
    assert entry["status"]["completed"] is True


async def test_the_failure_of_a_node_with_ten_thousand_inputs_is_told_shortly(server: Server) -> None:
    entry = await server.run(
        graph(m=("Make", {}), s=("Say", {"text": "x"}))
        | {"out": {"class_type": "Gather", "inputs": {f"x{n}": ["s", 0] for n in range(10_000)}}}
    )
    [[type, failure]] = [message for message in entry["status"]["messages"] if message[0] == "execution_error"]
    assert (type, failure["node_id"], failure["exception_type"]) == ("execution_error", "out", "TypeError")
    assert len(failure["current_inputs"]) == 100


async def test_five_thousand_bad_outputs_are_told_shortly(server: Server) -> None:
    sent = await server.queue({f"{n}": {"class_type": "Show", "inputs": {"x": ["gone", 0]}} for n in range(5_000)})
    assert (sent.status, sent.type) == (400, FAILED)
    assert len(sent.said["node_errors"]) == 100
    assert "4900 more" in sent.said["error"]["details"]


LONG = "long " * 20_000


@pytest.mark.parametrize(
    "document",
    [
        numbers(100) | {f"o{n}": {"class_type": "Show", "inputs": {"x": ["gone", n]}} for n in range(5_000)},
        {f"n{n}": {"class_type": LONG[:60], "inputs": {}, "_meta": {"title": LONG}} for n in range(80)},
        graph(o=("Gather", {f"x{n}": [f"gone {n}", 0] for n in range(5_000)})),
        graph(m=("Make", {"value": LONG}), o=("Show", {"x": ["m", 0]})),
        graph(m=("Steps", {"count": f"{'9' * 4000}"}), o=("Show", {"x": ["m", 0]})),
        graph(m=("Widgets", dict.fromkeys(("number", "real", "flag", "mode", "file", "maybe"), LONG))),
        graph(m=("Widgets", dict.fromkeys(("number", "real", "flag", "mode", "file", "maybe"), [LONG] * 3))),
        graph(o=("Show", {"x": [LONG, 0]})),
        graph(a=("Make", {"value": -1}))
        | {f"o{n}": {"class_type": "Show", "inputs": {"x": ["a", 0]}} for n in range(5_000)},
        {f"a{n}": {"class_type": "Make", "inputs": {"value": -1}} for n in range(200)}
        | {f"o{n}": {"class_type": "Gather", "inputs": {f"x{m}": [f"a{m}", 0] for m in range(200)}} for n in range(90)},
    ],
    ids=lambda document: f"{next(iter(document.values()))!r:.60}",
)
async def test_no_refusal_is_long(server: Server, document: dict[str, Any]) -> None:
    """The server fixture holds every answer to 64 KiB."""
    sent = await server.queue(document)
    assert sent.status == 400
    assert 1 <= sum(len(node["errors"]) for node in sent.said["node_errors"].values()) <= 100


async def test_a_partial_target_that_is_none_is_told_shortly(server: Server) -> None:
    sent = await server.queue(shown(1), partial_execution_targets=[LONG])
    assert (sent.status, sent.type) == (400, "invalid_partial_execution_targets")


async def test_work_that_no_device_holds_is_refused_before_it_waits(server: Server) -> None:
    sent = await server.queue(graph(b=("Blank", {"width": 16384, "height": 16384, "batch_size": 4096})))
    assert (sent.status, sent.problems("b")) == (400, [("work_too_large", "batch_size")])
    assert "1,099,511,627,776 pixels" in sent.said["node_errors"]["b"]["errors"][0]["details"]


NAMES = [
    "__proto__", "constructor", "toString", "hasOwnProperty", "__class__", "__init__", "__value__",
    "\N{GRINNING FACE}", "1:2", " ", "#",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_that_means_something_elsewhere_is_a_name_here(server: Server, name: str) -> None:
    document = graph(o=("Show", {"x": [name, 0], name: {name: [1]}})) | {
        name: {"class_type": "Make", "inputs": {"value": 5}, "_meta": {"title": name, name: name}}
    }
    extra = {name: {name: name}, "extra_pnginfo": {name: {name: 1}}}
    entry = await server.run(document, extra_data=extra, client_id=name)
    assert entry["outputs"] == {"o": {"text": ["5"]}}
    assert entry["prompt"][2] == document
    assert {key: entry["prompt"][3][key] for key in extra} == extra
    sent = await server.queue(graph(o=(name, {name: 1})))
    assert (sent.status, sent.type) == (400, "missing_node_type")
    assert sent.said["error"]["extra_info"]["class_type"] == name
