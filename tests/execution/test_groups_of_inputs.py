"""Graphs name the members of groups and the inputs behind choices with a dot; the engine treats each as its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from execution.engine import Checked
from execution.graph import parse
from execution.kinds import Kind
from execution.validation import check
from execution.workflow.convert import to_graph
from nodes.registry import Registry
from nodes.spec import Grows, Number, Socket, Variants, node, spec_of
from tests.execution import fake_nodes
from tests.execution.bench import bench
from tests.execution.fake_host import FakeFiles
from tests.execution.graphs import graph

THING = Annotated[Any, Socket("THING")]


@dataclass(frozen=True)
class Times:
    count: Annotated[int, Number(1, 9)] = 2


@dataclass(frozen=True)
class Plus:
    other: THING


@node("Sum", category="test", output=True)
def total(
    things: Annotated[Sequence[THING], Grows("thing", min=1, max=3)],
    how: Annotated[Times | Plus, Variants({"times": Times, "plus": Plus})],
) -> THING:
    """The sum of all, times a number or plus another."""
    return sum(things) * how.count if isinstance(how, Times) else sum(things) + how.other


def specs() -> Registry:
    registry = fake_nodes.load()
    found = spec_of(total)
    assert found is not None
    registry.add(found)
    return registry


def checked(**inputs: Any) -> Checked:
    named = {name.replace("__", "."): value for name, value in inputs.items()}
    return check(graph(m=("Make", {"value": 4}), s=("Sum", named)), specs(), FakeFiles())


M = ["m", 0]


def test_what_a_graph_leaves_out_behind_a_choice_is_filled_in() -> None:
    result = checked(things__thing0=M, how="times")
    assert result.error is None
    assert result.graph.read()["s"]["inputs"] == {"things.thing0": M, "how": "times", "how.count": 2}


@pytest.mark.parametrize(
    ("inputs", "kind", "name"),
    [
        ({"how": "times"}, "required_input_missing", "things.thing0"),
        ({"things__thing0": M}, "required_input_missing", "how"),
        ({"things__thing0": M, "how": "plus"}, "required_input_missing", "how.other"),
        ({"things__thing0": M, "how": "times", "how__count": 10}, "value_bigger_than_max", "how.count"),
        ({"things__thing0": M, "how": "times", "how__count": "x"}, "invalid_input_type", "how.count"),
        ({"things__thing0": M, "how": "minus"}, "value_not_in_list", "how"),
        ({"things__thing0": M, "how": M}, "bad_linked_input", "how"),
        ({"things__thing0": 5, "how": "times"}, "invalid_input_type", "things.thing0"),
        ({"things__thing0": M, "things__thing3": M, "how": "times"}, "custom_validation_failed", "things.thing3"),
        ({"things__thing0": M, "things": M, "how": "times"}, "custom_validation_failed", "things"),
    ],
)
def test_a_problem_names_the_input_with_its_dot(inputs: dict[str, Any], kind: str, name: str) -> None:
    [problem] = checked(**inputs).node_errors["s"].errors
    assert (problem.type, problem.extra_info["input_name"]) == (kind, name)


def test_what_belongs_to_another_word_reaches_neither_function_nor_key() -> None:
    node = parse(graph(s=("Sum", {"things.thing1": 1, "how": "times", "how.count": 3, "how.other": 9})))["s"]
    found = spec_of(total)
    assert found is not None
    assert dict(Kind.of(found).given(node)) == {"things.thing1": 1, "how": "times", "how.count": 3}


def drawn(values: list[Any] | dict[str, Any]) -> dict[str, Any]:
    """A document of ComfyUI's editor in which two members of a group are connected."""
    make = {"id": 1, "type": "Make", "widgets_values": [4], "outputs": [{"name": "THING", "type": "THING"}]}
    slots = [
        {"name": "things.thing0", "type": "THING", "link": 1},
        {"name": "things.thing1", "type": "THING", "link": 2},
        {"name": "things.thing2", "type": "THING", "link": None},
        {"name": "how.count", "type": "INT", "link": None, "widget": {"name": "how.count"}},
    ]
    total = {"id": 2, "type": "Sum", "inputs": slots, "widgets_values": values}
    links = [[1, 1, 0, 2, 0, "THING"], [2, 1, 0, 2, 1, "THING"]]
    return {"version": 0.4, "nodes": [make, total], "links": links}


@pytest.mark.parametrize("values", [["times", 3], {"how": "times", "how.count": 3}])
def test_a_document_gives_members_by_their_slots_and_a_choice_with_what_follows_it(values: Any) -> None:
    inputs = to_graph(drawn(values), specs())["2"]["inputs"]
    assert inputs == {"things.thing0": ["1", 0], "things.thing1": ["1", 0], "how": "times", "how.count": 3}


def test_the_engine_runs_a_node_with_its_groups_and_remembers_it() -> None:
    found = specs()
    running = bench(found["Make"], found["Sum"])
    inputs = {"things.thing0": M, "things.thing2": M, "how": "times", "how.count": 3}
    document = {"m": {"class_type": "Make", "inputs": {"value": 4}}, "s": {"class_type": "Sum", "inputs": inputs}}
    running.run(document, "s")
    assert running.started() == ["m", "s"]
    running.run(document, "s")
    assert running.started() == ["m", "s"]
    inputs["how.count"] = 4
    running.run(document, "s")
    assert running.started() == ["m", "s", "s"]
