"""Where the values of a graph come from: what stands beside them in a file, and who else may give them."""

from typing import Any

import pytest

from execution.workflow import to_graph
from nodes.spec import Choice, InputSpec, Number, Text
from tests.execution.drawings import MOMENT, Canvas, graph_of, inputs_of, spec

CHANGING = {"control_after_generate": True}
PICK = spec(
    "Pick",
    InputSpec("word", "COMBO", Choice(("a", "b")), options=CHANGING),
    InputSpec("listed", "COMBO", None, options=CHANGING),
    InputSpec("seed", "INT", Number(0, 99, control_after_generate="fixed"), 0),
    InputSpec("noise", "INT", Number(0, 99), 0),
    InputSpec("mode", "COMBO", Choice(("fixed", "free"))),
    InputSpec("text", "STRING", Text(), ""),
)


@pytest.mark.parametrize(
    "values",
    [
        ["b", "increment-wrap", "x", "randomize", 3, "fixed", 4, "fixed", "t"],
        ["b", "x", 3, 4, "fixed", "t"],
        ["b", "x", "fixed", 3, True, 4, "fixed", "t"],
        ["b", "x", 3, False, 4, "fixed", "t"],
        {"word": "b", "listed": "x", "seed": 3, "noise": 4, "mode": "fixed", "text": "t", "control_after_generate": 9},
    ],
)
def test_what_happens_to_a_value_after_queueing_stands_beside_it_and_is_not_sent(values: Any) -> None:
    canvas = Canvas()
    canvas.node(1, "Pick", widgets_values=values)
    inputs = to_graph(canvas.document(), {"Pick": PICK}, moment=MOMENT)["1"]["inputs"]
    assert inputs == {"word": "b", "listed": "x", "seed": 3, "noise": 4, "mode": "fixed", "text": "t"}


def test_values_by_name_come_before_those_in_a_row() -> None:
    canvas = Canvas()
    canvas.node(1, "Sampler", 1, "fixed", 2, "euler", widgets_values_named={"seed": 7, "steps": 8, "sampler": "heun"})
    assert inputs_of(canvas) == {"seed": 7, "steps": 8, "sampler": "heun", "extra": 0.5}


def test_a_primitive_in_a_subgraph_brings_the_value_that_the_instance_gives() -> None:
    inner = Canvas()
    inner.node(5, "PrimitiveNode", 3, "fixed", outputs="INT")
    inner.node(6, "Sampler", 0, "fixed", 1, "euler", inputs="steps:INT")
    inner.wire(5, 0, 6, "steps")
    definitions = {"subgraphs": [inner.definition("box")]}
    canvas = Canvas()
    canvas.node(1, "box")
    canvas.node(2, "box", 42, properties={"proxyWidgets": [["5", "value"]]})
    graph = graph_of(canvas.document(definitions=definitions))
    assert (graph["1:6"]["inputs"]["steps"], graph["2:6"]["inputs"]["steps"]) == (3, 42)


def test_a_value_that_an_instance_leaves_open_is_that_of_the_inside() -> None:
    inner = Canvas()
    inner.node(6, "Sampler", 5, "fixed", 6, "heun", inputs="steps:INT")
    inner.nodes[0]["inputs"][0]["widget"] = {"name": "steps"}
    inner.wire(-10, 0, 6, "steps")
    canvas = Canvas()
    canvas.node(1, "box", None, 11, inputs="steps:INT")
    canvas.nodes[0]["properties"] = {"proxyWidgets": [["-1", "steps"], ["6", "seed"], ["6", "sampler"]]}
    graph = graph_of(canvas.document(definitions={"subgraphs": [inner.definition("box", ["steps"])]}))
    assert graph["1:6"]["inputs"] == {"seed": 11, "steps": 6, "sampler": "heun", "extra": 0.5}


def test_a_text_from_a_primitive_means_what_one_that_is_typed_does() -> None:
    canvas = Canvas()
    canvas.node(1, "PrimitiveNode", "{a|b} // c", outputs="STRING")
    canvas.node(2, "Encode", "own", inputs="clip text:STRING")
    canvas.wire(1, 0, 2, "text")
    graph = graph_of(canvas.document(), choose=lambda options: options[-1])
    assert graph["2"]["inputs"]["text"] == "b "


def test_a_wire_from_what_is_off_leaves_the_value_that_is_typed() -> None:
    canvas = Canvas()
    canvas.node(1, "Sampler", outputs="STRING", mode=2)
    canvas.node(2, "Encode", "typed", inputs="clip text:STRING")
    canvas.wire(1, 0, 2, "text")
    assert inputs_of(canvas, "2") == {"text": "typed"}
