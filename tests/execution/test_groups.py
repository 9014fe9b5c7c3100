"""What group nodes of old documents mean as a graph."""

from typing import Any

import pytest

from execution.workflow import WorkflowError
from tests.execution.drawings import Canvas, graph_of

ENCODE = {"type": "Encode", "widgets_values": ["a cat"], "inputs": [{"name": "clip", "type": "CLIP"}],
          "outputs": [{"name": "COND", "type": "COND"}]}  # fmt: skip
REROUTE = {"type": "Reroute", "inputs": [{"name": "", "type": "*"}], "outputs": [{"name": "", "type": "*"}]}
SAMPLER = {"type": "Sampler", "widgets_values": [7, "fixed", 20, "euler", 0.5],
           "inputs": [{"name": "model", "type": "MODEL"}, {"name": "positive", "type": "COND"}],
           "outputs": [{"name": "LATENT", "type": "LATENT"}]}  # fmt: skip


def group(*nodes: dict[str, Any], links: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    numbered = [node | {"index": number} for number, node in enumerate(nodes)]
    # The prompt feeds the sampler; what comes from outside has no source.
    return {"nodes": numbered, "links": links or [[0, 0, 2, 1, 5, "COND"], [1, 0, 2, 0, 6, "MODEL"]]} | more


def drawn(definition: dict[str, Any], *values: Any, type: str = "workflow>G", slots: str = "clip :MODEL") -> Any:
    """A loader, a node of the group with the inputs clip and model, and a node that saves its first output."""
    canvas = Canvas()
    canvas.node(1, "Loader", "a.safetensors", outputs="MODEL CLIP")
    canvas.node(9, type, *values, inputs=slots, outputs="LATENT")
    canvas.node(4, "Save", "cat", inputs="latent")
    canvas.wire(1, 1, 9, "clip")
    canvas.wire(1, 0, 9, "")
    canvas.wire(9, 0, 4, "latent")
    return canvas.document(extra={"groupNodes": {"G": definition}})


@pytest.mark.parametrize("type", ["workflow>G", "workflow/G"])
def test_a_group_becomes_its_nodes_with_the_values_of_the_one_that_is_drawn(type: str) -> None:
    document = drawn(group(ENCODE, REROUTE, SAMPLER), "a dog", 8, "randomize", 9, "heun", 0.25, type=type)
    graph = graph_of(document)
    assert list(graph) == ["1", "9:0", "9:2", "4"]
    assert graph["9:0"]["inputs"] == {"text": "a dog", "clip": ["1", 1]}
    assert graph["9:2"]["inputs"] == {
        "seed": 8, "steps": 9, "sampler": "heun", "extra": 0.25, "model": ["1", 0], "positive": ["9:0", 0],
    }  # fmt: skip
    assert graph["4"]["inputs"]["latent"] == ["9:2", 0]


def test_without_values_of_its_own_a_group_has_those_of_its_definition() -> None:
    assert graph_of(drawn(group(ENCODE, REROUTE, SAMPLER)))["9:2"]["inputs"]["seed"] == 7


def test_an_output_that_was_used_outside_is_shown_though_it_is_read_inside() -> None:
    external = [[ENCODE | {"index": 0}, 0, "COND"]]
    graph = graph_of(drawn(group(ENCODE, REROUTE, SAMPLER, external=external)))
    assert graph["4"]["inputs"]["latent"] == ["9:0", 0]


def test_what_the_settings_hide_has_no_slot() -> None:
    config = {"0": {"input": {"clip": {"visible": False}}, "output": {"0": {"visible": False}}}}
    external = [[ENCODE | {"index": 0}, 0, "COND"]]
    definition = group(ENCODE, REROUTE, SAMPLER, external=external, config=config)
    graph = graph_of(drawn(definition, slots=":MODEL clip"))
    assert "clip" not in graph["9:0"]["inputs"]
    assert graph["9:2"]["inputs"]["model"] == ["1", 0]
    assert graph["4"]["inputs"]["latent"] == ["9:2", 0]


def test_widgets_that_became_inputs_come_after_the_sockets() -> None:
    converted = ENCODE | {"inputs": [{"name": "text", "type": "STRING", "widget": {"name": "text"}}, *ENCODE["inputs"]]}
    graph = graph_of(drawn(group(converted, REROUTE, SAMPLER, links=[[0, 0, 2, 1, 5, ""], [1, 0, 2, 0, 6, ""]])))
    assert graph["9:0"]["inputs"] == {"text": "a cat", "clip": ["1", 1]}


@pytest.mark.parametrize(
    ("definition", "values", "message"),
    [
        (group(ENCODE, REROUTE, SAMPLER), ["a dog", 8], "values of node 9 do not fit the group 'G'"),
        (group(ENCODE, {"type": "workflow>G", "inputs": [], "outputs": []}), [], "contains itself"),
        (group(ENCODE, links=[5]), [], "is no link"),
        (group(ENCODE) | {"nodes": [5]}, [], "is not an object"),
        ({"links": {"0": 1}}, [], "are not a list"),
    ],
)
def test_a_group_that_makes_no_sense_is_refused(definition: Any, values: list[Any], message: str) -> None:
    with pytest.raises(WorkflowError, match=message):
        graph_of(drawn(definition, *values))
