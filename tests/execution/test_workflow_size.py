"""Drawings that are small as files and large as graphs: what is drawn once is looked at once, and growth has an end."""

from typing import Any

import pytest

from execution.workflow import WorkflowError, size, wires
from execution.workflow.scope import Scope
from tests.execution.drawings import Canvas, graph_of


def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[None]:
    """Has a function leave a trace of each call in the list."""
    calls: list[None] = []
    function = getattr(owner, name)

    def counting(*arguments: Any) -> Any:
        calls.append(None)
        return function(*arguments)

    monkeypatch.setattr(owner, name, counting)
    return calls


def test_wires_that_many_nodes_share_are_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = counted(monkeypatch, wires, "_upstream")
    canvas = Canvas()
    canvas.node(0, "Sampler", outputs="LATENT")
    for number in range(1, 51):
        canvas.node(number, "Reroute", inputs=":*", outputs=":*")
        canvas.wire(number - 1, 0, number, "")
    for number in range(51, 101):
        canvas.node(number, "Save", inputs="latent")
        canvas.wire(50, 0, number, "latent")
    graph = graph_of(canvas.document())
    assert [graph[str(number)]["inputs"]["latent"] for number in range(51, 101)] == [["0", 0]] * 50
    assert len(walked) == 51


def test_a_subgraph_is_entered_once_however_many_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    entered = counted(monkeypatch, Scope, "_entered")
    inner = Canvas()
    inner.node(11, "Sampler", outputs="LATENT")
    inner.results(11, 0, 0)
    canvas = Canvas()
    canvas.node(1, "box", outputs="LATENT")
    for number in range(2, 52):
        canvas.node(number, "Save", inputs="latent")
        canvas.wire(1, 0, number, "latent")
    graph = graph_of(canvas.document(definitions={"subgraphs": [inner.definition("box", [], ["out"])]}))
    assert graph["51"]["inputs"]["latent"] == ["1:11", 0]
    assert len(entered) == 1


def multiplying(levels: int, *values: Any, type: str = "Encode", **more: Any) -> dict[str, Any]:
    """A workflow of subgraphs within subgraphs, at each level two; the nodes innermost have these values."""
    definitions = []
    for level in range(levels):
        inner = Canvas()
        for number in range(2):
            if level < levels - 1:
                inner.node(number, f"level{level + 1}")
            else:
                inner.node(number, type, *values, **more)
        definitions.append(inner.definition(f"level{level}"))
    canvas = Canvas()
    canvas.node(1, "level0")
    return canvas.document(definitions={"subgraphs": definitions})


def test_subgraphs_that_multiply_nodes_beyond_measure_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size, "MOST_NODES", 1000)
    with pytest.raises(WorkflowError, match="more than 1000 nodes"):
        graph_of(multiplying(60))


@pytest.mark.parametrize(
    "document",
    [
        multiplying(9, "x" * 5_000),
        multiplying(9, ["x"] * 5_000),
        multiplying(9, [{"x": [{"x": "x" * 5_000}]}]),
        multiplying(9, type="Unknown", widgets_values={str(number): number for number in range(2_000)}),
        multiplying(9, type="Unknown", inputs=" ".join(["x"] * 2_000)),
    ],
    ids=["text", "list", "depth", "values by name", "slots"],
)
def test_subgraphs_that_multiply_what_nodes_hold_beyond_measure_are_refused(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(size, "LARGEST", 1 << 20)
    with pytest.raises(WorkflowError, match="Mi characters and values"):
        graph_of(document)


def test_what_is_held_once_may_be_large() -> None:
    assert graph_of(multiplying(1, "x" * 1_000_000))["1:0"]["inputs"]["text"] == "x" * 1_000_000


def test_two_nodes_that_would_be_one_in_the_graph_are_refused() -> None:
    inner = Canvas()
    inner.node(2, "Save")
    canvas = Canvas()
    canvas.node("1:2", "Save")
    canvas.node(1, "box")
    document = canvas.document(definitions={"subgraphs": [inner.definition("box")]})
    with pytest.raises(WorkflowError, match="Two nodes of the workflow are node 1:2"):
        graph_of(document)
    canvas.nodes[0]["mode"] = 2
    assert list(graph_of(document)) == ["1:2"]


def test_two_subgraphs_of_one_id_are_refused_unless_they_are_the_same() -> None:
    inner, other = Canvas(), Canvas()
    inner.node(2, "Save")
    canvas = Canvas()
    canvas.node(1, "box")
    twice = [inner.definition("box"), inner.definition("box")]
    assert list(graph_of(canvas.document(definitions={"subgraphs": twice}))) == ["1:2"]
    with pytest.raises(WorkflowError, match="Two subgraphs"):
        graph_of(canvas.document(definitions={"subgraphs": [*twice, other.definition("box")]}))
