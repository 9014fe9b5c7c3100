"""Nodes that check their inputs themselves, and what is left to check for the engine."""

import asyncio
import sys
from typing import Any

import pytest

from execution.events import JobFailed, JobSucceeded
from execution.graph import parse
from execution.hooks import hook_problems
from execution.kinds import Kinds
from execution.validation import check
from nodes.context import Context, Services, WorkerSettings
from nodes.paths import Paths
from nodes.spec import Choice, InputSpec, NodeSpec, Number, OutputSpec
from tests.execution.bench import Bench, show
from tests.execution.fake_host import FakeFiles
from tests.execution.graphs import graph

MAKE = NodeSpec("Make", "", "", "", (), (OutputSpec("out", "THING"),), function=lambda: 1)
INPUTS = (
    InputSpec("number", "INT", Number(0, 10), 5),
    InputSpec("word", "COMBO", Choice(("a", "b")), "a"),
    InputSpec("other", "OTHER", optional=True),
)


def checked_node(validated: str, validate: Any, **options: Any) -> NodeSpec:
    return NodeSpec(
        "Node", "", "", "", INPUTS, (OutputSpec("out", "*"),), function=lambda **inputs: str(inputs),
        validated=frozenset(validated.split()), validate=validate, **options,
    )  # fmt: skip


def document(**inputs: Any) -> dict[str, Any]:
    return graph(m=("Make", {}), n=("Node", inputs), out=("Show", {"x": ["n", 0]}))


def specs_with(node: NodeSpec) -> dict[str, NodeSpec]:
    return {one.id: one for one in (MAKE, node, show())}


def problems(node: NodeSpec, paths: Paths, **inputs: Any) -> list[tuple[str, str]]:
    context = Context("", paths, WorkerSettings(), Services())
    found = hook_problems(
        parse(document(**inputs)), ["m", "n", "out"], Kinds(specs_with(node)), lambda node_id: context, asyncio.run
    )
    assert set(found) <= {"n"}
    return [(problem.type, problem.details) for problem in found.get("n", [])]


async def slowly(number: int) -> str:
    return f"{number} is odd"


@pytest.mark.parametrize(
    ("validated", "validate", "found"),
    [
        ("number", lambda number: True, []),
        ("number", lambda number: number == 3, []),
        ("number", lambda number: False, [("custom_validation_failed", "number")]),
        ("number", lambda number: f"{number} is odd", [("custom_validation_failed", "number - 3 is odd")]),
        ("number", slowly, [("custom_validation_failed", "number - 3 is odd")]),
        ("number", lambda number: 1 / 0,
         [("exception_during_validation", "ZeroDivisionError in the check of Node")]),
        ("number", lambda number: sys.exit(3), [("exception_during_validation", "SystemExit in the check of Node")]),
        ("number other", lambda number, other: other is None, []),
        ("input_types", lambda input_types: input_types == {"other": "THING"}, []),
        ("input_types", lambda input_types: f"no {input_types['other']}",
         [("custom_validation_failed", "other - no THING")]),
        ("", lambda: "never", [("custom_validation_failed", "never")]),
    ],
)  # fmt: skip
def test_a_node_approves_or_says_what_is_wrong(
    validated: str, validate: Any, found: list[tuple[str, str]], paths: Paths
) -> None:
    assert problems(checked_node(validated, validate), paths, number=3, other=["m", 0]) == found


@pytest.mark.parametrize("link", [["gone", 0], ["m", 7]])
def test_a_link_that_leads_nowhere_has_no_type(link: list[Any], paths: Paths) -> None:
    node = checked_node("input_types", lambda input_types: input_types == {"other": "THING"})
    assert problems(node, paths, other=["m", 0], undeclared=link) == []


def test_a_check_of_lists_gets_lists_and_one_that_wants_the_context_gets_it(paths: Paths) -> None:
    seen: list[Any] = []

    def validate(number: Any, context: Context) -> bool:
        seen.append((number, context.node_id))
        return True

    problems(checked_node("number", validate, takes_lists=True, context_parameter="context"), paths, number=3)
    assert seen == [([3], "")]


@pytest.mark.parametrize(
    ("validated", "found"),
    [
        ("", {"value_bigger_than_max", "value_not_in_list", "return_type_mismatch"}),
        ("number", {"value_not_in_list", "return_type_mismatch"}),
        ("number word", {"return_type_mismatch"}),
        ("number word input_types", set()),
    ],
)
def test_what_a_node_checks_itself_is_left_to_it(validated: str, found: set[str]) -> None:
    specs = {name: one.without_code() for name, one in specs_with(checked_node(validated, bool)).items()}
    result = check(document(number=99, word="z", other=["m", 0]), specs, FakeFiles())
    errors = result.node_errors["n"].errors if result.node_errors else ()
    assert {problem.type for problem in errors} == found


def test_values_are_converted_whoever_checks_them() -> None:
    specs = specs_with(checked_node("number", bool))
    assert check(document(number="7"), specs, FakeFiles()).graph.read()["n"]["inputs"]["number"] == 7


def test_another_process_knows_that_a_node_checks_itself() -> None:
    assert checked_node("number", bool).without_code().checks_itself
    assert not MAKE.without_code().checks_itself


def test_a_job_asks_again_before_it_runs_but_not_for_what_is_remembered() -> None:
    asked: list[int] = []

    def validate(number: int) -> bool | str:
        asked.append(number)
        return number < 5 or f"{number} is too many"

    board = Bench(specs_with(checked_node("number", validate)))
    assert isinstance(board.run(document(number=3)), JobSucceeded)
    assert isinstance(board.run(document(number=3)), JobSucceeded)
    assert asked == [3]
    outcome = board.run(document(number=9))
    assert isinstance(outcome, JobFailed)
    assert (outcome.node_id, outcome.node_type, outcome.message) == ("n", "Node", "number - 9 is too many")
    assert board.started() == ["n", "out"]
