"""What a graph may be, and how each fault is told."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from execution.engine import Checked, Problem
from execution.input_checks import compatible
from execution.validation import check
from nodes.spec import FilePrefix, InputSpec, NodeSpec
from tests.execution import fake_nodes
from tests.execution.counting import calls_in
from tests.execution.fake_host import FakeFiles
from tests.execution.graphs import chain, diamond, graph, shown

GOOD = {"number": 5, "mode": "fast", "file": "a.safetensors"}


def checked(document: Any, wanted: tuple[str, ...] | None = None) -> Checked:
    return check(document, fake_nodes.load(), FakeFiles(), wanted)


def problem_of(**inputs: Any) -> Problem:
    """The one problem of a node with widgets."""
    result = checked(graph(w=("Widgets", GOOD | inputs)))
    assert result.error is not None
    assert result.error.type == "prompt_outputs_failed_validation"
    [problem] = result.node_errors["w"].errors
    return problem


def converted(**inputs: Any) -> dict[str, Any]:
    result = checked(graph(w=("Widgets", GOOD | inputs)))
    assert result.error is None
    return result.graph.read()["w"]["inputs"]


def test_a_good_graph_may_run_all_its_outputs() -> None:
    result = checked(diamond(1))
    assert (result.targets, result.error, result.node_errors) == (("out",), None, {})


@pytest.mark.parametrize(
    ("name", "value", "becomes"),
    [
        ("number", 6.9, 6),
        ("number", "7", 7),
        ("number", True, 1),
        ("real", 1, 1.0),
        ("real", "0.25", 0.25),
        ("text", 5, "5"),
        ("flag", 1, True),
        ("flag", "FALSE", False),
        ("file", "sub\\b.safetensors", "sub/b.safetensors"),
    ],
)
def test_values_are_converted_and_written_back(name: str, value: Any, becomes: Any) -> None:
    found = converted(**{name: value})[name]
    assert found == becomes
    assert type(found) is type(becomes)


def test_declared_defaults_are_filled_in_and_undeclared_inputs_left_alone() -> None:
    inputs = converted(stranger={"a": 1})
    assert inputs == GOOD | {"real": 0.5, "text": "hello", "flag": False, "stranger": {"a": 1}}


@pytest.mark.parametrize(
    ("inputs", "type", "message", "details"),
    [
        ({"number": 0}, "value_smaller_than_min", "Value 0 smaller than min of 1", "number"),
        ({"number": 11}, "value_bigger_than_max", "Value 11 bigger than max of 10", "number"),
        ({"number": 10**30}, "value_bigger_than_max", f"Value {10**30} bigger than max of 10", "number"),
        ({"number": "abc"}, "invalid_input_type", "Failed to convert an input value to a INT value", "number, 'abc'"),
        ({"number": None}, "invalid_input_type", "Failed to convert an input value to a INT value", "number, None"),
        ({"real": "nan"}, "invalid_input_type", "Failed to convert an input value to a FLOAT value", "real, 'nan'"),
        ({"text": {"a": 1}}, "invalid_input_type", "Failed to convert an input value to a STRING value", "text, "),
        ({"flag": "maybe"}, "invalid_input_type", "Failed to convert an input value to a BOOLEAN value", "flag, "),
        ({"mode": "x"}, "value_not_in_list", "Value not in list", "mode: 'x' not in ['fast', 'slow']"),
        ({"file": "c"}, "value_not_in_list", "Value not in list", "file: 'c' not in ['a.safetensors', "),
        ({"maybe": 5}, "invalid_input_type", "Failed to convert an input value to a THING value", "maybe, 5, only a"),
        (
            {"maybe": [1, 2]},
            "bad_linked_input",
            "Bad linked input, must be a length-2 list of [node_id, slot_index]",
            "maybe",
        ),
        ({"maybe": ["9", 0]}, "bad_linked_input", "Linked node does not exist", "maybe: there is no node '9'"),
    ],
)
def test_each_fault_has_its_type_message_and_details(inputs: Any, type: str, message: str, details: str) -> None:
    problem = problem_of(**inputs)
    assert (problem.type, problem.message) == (type, message)
    assert problem.details.startswith(details)
    assert problem.extra_info["input_name"] == next(iter(inputs))


@pytest.mark.parametrize("slot", [1, 99])
def test_a_wire_from_an_output_that_is_not_there_is_told(slot: int) -> None:
    result = checked(graph(a=("Make", {}), o=("Show", {"x": ["a", slot]})))
    [problem] = result.node_errors["o"].errors
    assert (problem.type, problem.message) == ("bad_linked_input", "Linked output does not exist")
    assert problem.details.startswith("x: node a (Make) has 1 outputs")


def test_a_missing_input_without_a_default_is_told() -> None:
    result = checked(graph(w=("Widgets", {"number": 5, "file": "a.safetensors"})))
    assert result.node_errors["w"].errors == (
        Problem("required_input_missing", "Required input is missing", "mode", {"input_name": "mode"}),
    )


def test_a_wire_between_different_types_is_refused() -> None:
    result = checked(graph(a=("Make", {}), b=("Split", {"x": ["a", 0]}), c=("Show", {"x": ["b", 1]})))
    [problem] = result.node_errors["c"].errors
    assert problem.type == "return_type_mismatch"
    assert problem.details == "x, received_type(OTHER) mismatch input_type(THING)"
    assert problem.extra_info["linked_node"] == ["b", 1]
    assert problem.extra_info["received_type"] == "OTHER"


@pytest.mark.parametrize(
    ("received", "expected", "fits"),
    [
        ("IMAGE", "IMAGE", True),
        ("IMAGE", "MASK", False),
        ("*", "MASK", True),
        ("IMAGE", "*", True),
        ("IMAGE,MASK", "MASK,LATENT", True),
        ("IMAGE, MASK", "MASK", True),
        ("IMAGE,MASK", "LATENT", False),
    ],
)
def test_types_fit_if_they_are_equal_anything_or_overlap(received: str, expected: str, fits: bool) -> None:
    assert compatible(received, expected) is fits


def test_an_uploaded_file_need_not_be_offered_but_must_exist() -> None:
    assert checked(graph(u=("Upload", {"image": "old/hidden.png"}))).error is None
    result = checked(graph(u=("Upload", {"image": "gone.png"})))
    [problem] = result.node_errors["u"].errors
    assert problem.type == "custom_validation_failed"
    assert problem.details.startswith("image - Invalid file: 'gone.png'")


@pytest.mark.parametrize(("prefix", "refused"), [("a/%year%_b", False), ("", False), ("../a", True), ("/etc/a", True)])
def test_a_file_prefix_that_leads_out_of_its_folder_is_refused_when_queued(prefix: str, refused: bool) -> None:
    saves = NodeSpec("Save", "Save", "test", "", (InputSpec("prefix", "STRING", FilePrefix()),), (), output_node=True)
    result = check(graph(s=("Save", {"prefix": prefix})), {"Save": saves}, FakeFiles())
    assert (result.error is not None) is refused
    for problem in result.node_errors["s"].errors if refused else ():
        assert problem.type == "custom_validation_failed"
        assert problem.details.startswith("prefix - The file name")


def test_all_problems_are_told_at_once() -> None:
    result = checked(graph(a=("Widgets", {"number": 0, "mode": "x"}), b=("Show", {})))
    found = {node_id: [problem.type for problem in one.errors] for node_id, one in result.node_errors.items()}
    assert found == {
        "a": ["value_smaller_than_min", "value_not_in_list", "required_input_missing"],
        "b": ["required_input_missing"],
    }


def test_good_outputs_run_while_bad_ones_are_described() -> None:
    document = shown(3) | graph(
        bad=("Make", {"value": -1}), mid=("Pass", {"x": ["bad", 0]}), out=("Show", {"x": ["mid", 0]})
    )
    result = checked(document)
    assert (result.error, result.targets) == (None, ("2",))
    assert list(result.node_errors) == ["bad"]
    assert result.node_errors["bad"].dependent_outputs == ("out",)
    assert result.node_errors["bad"].class_type == "Make"


def test_nodes_that_no_output_needs_are_not_checked() -> None:
    assert checked(shown(3) | graph(idle=("Make", {"value": -1}))).node_errors == {}


def test_a_node_type_that_is_not_installed_is_named() -> None:
    document = shown(3) | {"9": {"class_type": "Gone", "inputs": {}, "_meta": {"title": "My node"}}}
    result = checked(document)
    assert result.error is not None
    assert result.error.type == "missing_node_type"
    assert "My node" in result.error.message
    assert result.error.extra_info == {"node_id": "9", "class_type": "Gone", "node_title": "My node"}
    assert list(result.node_errors) == ["9"]


@pytest.mark.parametrize("document", [{}, graph(a=("Make", {}))])
def test_without_an_output_nothing_can_run(document: Any) -> None:
    result = checked(document)
    assert result.error is not None
    assert (result.error.type, result.error.message) == ("prompt_no_outputs", "Prompt has no outputs")


@pytest.mark.parametrize("document", ["x", 5, None, [], {"1": None}, {"1": {"class_type": "Make", "inputs": 3}}])
def test_what_is_no_graph_is_a_problem_not_an_exception(document: Any) -> None:
    result = checked(document)
    assert result.error is not None
    assert result.error.type == "invalid_prompt"


def test_only_wanted_outputs_run() -> None:
    document = shown(3) | graph(other=("Show", {"x": ["1", 0]}), bad=("Show", {}))
    assert checked(document, ("other",)).targets == ("other",)
    assert checked(document, ("other",)).node_errors == {}
    refused = checked(document, ("1",))
    assert refused.error is not None
    assert "no output node" in refused.error.message


def test_a_cycle_is_told_with_its_nodes() -> None:
    result = checked(graph(a=("Pass", {"x": ["b", 0]}), b=("Pass", {"x": ["a", 0]}), o=("Show", {"x": ["a", 0]})))
    [problem] = result.node_errors["a"].errors
    assert (problem.type, problem.details) == ("dependency_cycle", "a (Pass) -> b (Pass) -> a")
    assert problem.extra_info["cycle_nodes"] == ["a", "b"]
    assert result.node_errors["a"].dependent_outputs == ("o",)


def broken_chain(length: int) -> dict[str, Any]:
    """A chain of which the first hundred nodes have a link that leads nowhere."""
    document = chain(length)
    for number in range(1, 101):
        document[str(number)]["inputs"]["x"] = ["gone", 0]
        document[str(number)]["inputs"]["also"] = [str(number - 1), 0]
    return document


def cycle(length: int) -> dict[str, Any]:
    return chain(length) | graph(_0=("Pass", {"x": [str(length - 1), 0]}))


def knot(length: int) -> dict[str, Any]:
    """A cycle of nodes each of which needs the one before and the one behind."""
    nodes = {str(n): ("Add", {"a": [str((n - 1) % length), 0], "b": [str((n + 1) % length), 0]}) for n in range(length)}
    return graph(**{f"_{name}": node for name, node in nodes.items()}) | graph(out=("Show", {"x": ["0", 0]}))


@pytest.mark.parametrize("make", [chain, cycle, knot, broken_chain])
def test_ten_times_the_nodes_are_ten_times_the_work(make: Callable[[int], dict[str, Any]]) -> None:
    fewer, more = (calls_in(lambda size=size: checked(make(size))) for size in (400, 4_000))
    assert more <= 11 * fewer


def test_a_problem_names_the_outputs_that_it_stops_beyond_a_cycle() -> None:
    document = graph(
        a=("Pass", {"x": ["b", 0]}), b=("Add", {"a": ["a", 0], "b": ["bad", 0]}), bad=("Make", {"value": -1}),
        o=("Show", {"x": ["a", 0]}), p=("Show", {"x": ["bad", 0]}), q=("Show", {"x": ["b", 0]}),
        fine=("Make", {}), r=("Show", {"x": ["fine", 0]}),
    )  # fmt: skip
    result = checked(document)
    assert result.targets == ("r",)
    assert {node_id: set(one.dependent_outputs) for node_id, one in result.node_errors.items()} == {
        "bad": {"o", "p", "q"}, "a": {"o", "q"},
    }  # fmt: skip


def test_a_cycle_of_ten_thousand_nodes_names_ten() -> None:
    document = chain(10_000)
    document["0"] = {"class_type": "Pass", "inputs": {"x": ["9999", 0]}}
    [problem] = checked(document).node_errors["9999"].errors
    assert len(problem.extra_info["cycle_nodes"]) == 10
    assert len(problem.details) < 300


def bad_outputs(count: int) -> dict[str, Any]:
    return {str(number): {"class_type": "Show", "inputs": {"x": ["gone", 0]}} for number in range(count)}


def test_five_thousand_bad_outputs_are_refused_shortly() -> None:
    result = checked(bad_outputs(5_000))
    assert len(result.node_errors) == 100
    assert result.error is not None
    assert "4900 more" in result.error.details
    told = [
        (problem.type, problem.details, dict(problem.extra_info))
        for one in result.node_errors.values()
        for problem in one.errors
    ]
    assert len(json.dumps(told)) < 65_536


def test_ten_times_the_bad_outputs_are_ten_times_the_work() -> None:
    fewer, more = (calls_in(lambda count=count: checked(bad_outputs(count))) for count in (200, 2_000))
    assert more <= 11 * fewer
