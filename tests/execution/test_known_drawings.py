"""A workflow that comes again is not derived again, except where it would mean something else."""

from typing import Any

import pytest

from execution.workflow import KnownDrawings, WorkflowError, known
from tests.execution.drawings import SPECS, Canvas, graph_of, simple


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The workflows that were derived."""
    found: list[Any] = []
    before = known.to_graph

    def to_graph(document: Any, *about: Any, **options: Any) -> dict[str, Any]:
        found.append(document)
        return before(document, *about, **options)

    monkeypatch.setattr(known, "to_graph", to_graph)
    return found


def drawn(prefix: str = "cat", text: str = "a cat") -> dict[str, Any]:
    canvas = simple()
    canvas.nodes[1]["widgets_values"] = [text]
    canvas.nodes[3]["widgets_values"] = [prefix]
    return canvas.document()


def test_an_unchanged_workflow_is_derived_once(derived: list[Any]) -> None:
    drawings = KnownDrawings()
    graphs = [drawings.graph_of(drawn(), SPECS) for _ in range(3)]
    assert len(derived) == 1
    assert graphs == [graph_of(drawn())] * 3


def test_a_changed_value_is_seen(derived: list[Any]) -> None:
    drawings = KnownDrawings()
    texts = [drawings.graph_of(drawn(text=text), SPECS)["2"]["inputs"]["text"] for text in ("a cat", "a dog", "a cat")]
    assert texts == ["a cat", "a dog", "a cat"]
    assert len(derived) == 2


@pytest.mark.parametrize(
    "workflow", [drawn(text="a {cat|dog}"), drawn(prefix="%date:hhmmss%/cat")], ids=["choice", "date"]
)
def test_what_may_mean_something_else_next_time_is_derived_again(derived: list[Any], workflow: Any) -> None:
    drawings = KnownDrawings()
    for _ in range(3):
        drawings.graph_of(workflow, SPECS)
    assert len(derived) == 3


def test_the_choice_of_a_dynamic_prompt_is_made_every_time() -> None:
    drawings = KnownDrawings()
    graphs = [drawings.graph_of(drawn(text="{cat|dog}"), SPECS) for _ in range(64)]
    assert {graph["2"]["inputs"]["text"] for graph in graphs} == {"cat", "dog"}


def test_changed_declarations_of_nodes_are_seen(derived: list[Any]) -> None:
    drawings = KnownDrawings()
    drawings.graph_of(drawn(), SPECS)
    without = {id: spec for id, spec in SPECS.items() if id != "Save"}
    assert drawings.graph_of(drawn(), without) == known.to_graph(drawn(), without)
    assert drawings.graph_of(drawn(), SPECS) == graph_of(drawn())


def test_what_cannot_be_derived_is_refused_every_time() -> None:
    drawings, canvas = KnownDrawings(), Canvas()
    canvas.node(1, "Encode", "a cat")
    canvas.node(1, "Encode", "a dog")
    for _ in range(2):
        with pytest.raises(WorkflowError):
            drawings.graph_of(canvas.document(), SPECS)
