"""A graph that comes again is not checked again, and yet nothing that its check would say otherwise is missed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from execution import checks
from execution.checks import Checks
from execution.engine import Checked
from execution.graph import GraphLimits
from tests.execution import fake_nodes
from tests.execution.fake_host import FakeFiles
from tests.execution.graphs import chain, graph

WIDGETS = {"number": 5, "mode": "fast", "file": "a.safetensors"}


@dataclass
class ChangingFiles:
    """Files that come and go."""

    offered: list[str] = field(default_factory=lambda: ["a.safetensors"])
    there: set[str] = field(default_factory=set)

    def choices(self, folder: str) -> Sequence[str]:
        return list(self.offered)

    def has(self, folder: str, name: str) -> bool:
        return name in self.there


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The graphs that were checked."""
    found: list[Any] = []
    before = checks.check

    def check(document: Any, *about: Any) -> Checked:
        found.append(document)
        return before(document, *about)

    monkeypatch.setattr(checks, "check", check)
    return found


SPECS = fake_nodes.load()


def asked(files: Any = None) -> Checks:
    return Checks(files or FakeFiles(), GraphLimits())


def types_of(checked: Checked) -> list[str]:
    return [problem.type for found in checked.node_errors.values() for problem in found.errors]


def test_an_unchanged_graph_is_checked_once(walked: list[Any]) -> None:
    known = asked()
    found = [known.of(chain(100), None, SPECS) for _ in range(3)]
    assert len(walked) == 1
    assert found[0].targets == ("out",)
    assert found == [found[0]] * 3


def test_values_that_python_takes_for_equal_are_different_graphs() -> None:
    known = asked()
    texts = [
        known.of(graph(w=("Widgets", WIDGETS | {"text": value})), None, SPECS).graph.read()["w"]["inputs"]["text"]
        for value in (1, 1.0, True, "1")
    ]
    assert texts == ["1", "1.0", "True", "1"]


def test_other_targets_are_another_question(walked: list[Any]) -> None:
    known = asked()
    document = graph(m=("Make", {"value": 1}), a=("Show", {"x": ["m", 0]}), b=("Show", {"x": ["m", 0]}))
    assert known.of(document, None, SPECS).targets == ("a", "b")
    assert known.of(document, ("b",), SPECS).targets == ("b",)
    assert known.of(document, ("x",), SPECS).error is not None
    assert len(walked) == 3


def test_a_file_that_has_gone_in_between_is_missed_and_one_that_came_is_found() -> None:
    files = ChangingFiles()
    known = asked(files)
    document = graph(w=("Widgets", WIDGETS))
    assert known.of(document, None, SPECS).error is None
    files.offered = ["b.safetensors"]
    assert types_of(known.of(document, None, SPECS)) == ["value_not_in_list"]
    files.offered = ["a.safetensors", "b.safetensors"]
    assert known.of(document, None, SPECS).error is None


def test_an_uploaded_file_that_has_gone_in_between_is_missed() -> None:
    files = ChangingFiles(there={"x.png"})
    known = asked(files)
    document = graph(u=("Upload", {"image": "x.png"}))
    assert known.of(document, None, SPECS).error is None
    files.there.clear()
    assert types_of(known.of(document, None, SPECS)) == ["custom_validation_failed"]


def test_changed_declarations_are_seen(walked: list[Any]) -> None:
    known = asked()
    known.of(chain(3), None, SPECS)
    without = {id: spec for id, spec in SPECS.items() if id != "Pass"}
    error = known.of(chain(3), None, without).error
    assert error is not None
    assert error.type == "missing_node_type"
    assert len(walked) == 2


@pytest.mark.parametrize(
    "document",
    [
        graph(m=("Make", {"value": math.nan}), out=("Show", {"x": ["m", 0]})),
        graph(m=("Make", {"value": object()}), out=("Show", {"x": ["m", 0]})),
        graph(w=("Widgets", WIDGETS | {"number": "x"})),
        graph(w=("Widgets", WIDGETS | {"number": "x"}), m=("Make", {}), out=("Show", {"x": ["m", 0]})),
        [],
        None,
    ],
    ids=["not a number", "no JSON", "refused", "partly refused", "list", "nothing"],
)
def test_what_has_problems_is_checked_every_time(walked: list[Any], document: Any) -> None:
    known = asked()
    assert known.of(document, None, SPECS) == known.of(document, None, SPECS)
    assert len(walked) == 2


def test_nodes_that_check_themselves_are_named_every_time() -> None:
    known = asked()
    specs = {id: spec.without_code() for id, spec in SPECS.items()}
    document = graph(e=(fake_nodes.CHECKED.id, {"number": 2}), m=("Make", {"value": 1}), out=("Show", {"x": ["m", 0]}))
    assert [known.of(document, None, specs).own_checkers for _ in range(2)] == [("e",), ("e",)]


def test_nodes_that_check_themselves_are_not_asked_where_they_would_not_run() -> None:
    specs = {id: spec.without_code() for id, spec in SPECS.items()}
    broken = graph(e=(fake_nodes.CHECKED.id, {"number": "?"}), m=("Make", {"value": 1}), out=("Show", {"x": ["m", 0]}))
    checked = asked().of(broken, None, specs)
    assert (checked.targets, checked.own_checkers) == (("out",), ())
