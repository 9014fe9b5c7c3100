"""What a drawing in the editor means as a graph."""

from typing import Any

import pytest

from execution.workflow import WorkflowError, to_graph
from nodes.spec import InputSpec, Number
from tests.execution.drawings import MOMENT, Canvas, graph_of, inputs_of, simple, spec


def test_a_workflow_becomes_nodes_with_values_links_and_titles() -> None:
    assert graph_of(simple().document()) == {
        "1": {"inputs": {"name": "a.safetensors"}, "class_type": "Loader", "_meta": {"title": "Loader title"}},
        "2": {
            "inputs": {"text": "a cat", "clip": ["1", 1]},
            "class_type": "Encode",
            "_meta": {"title": "Positive"},
        },
        "3": {
            "inputs": {
                "seed": 7, "steps": 9, "sampler": "heun", "extra": 0.5, "model": ["1", 0], "positive": ["2", 0],
            },
            "class_type": "Sampler",
            "_meta": {"title": "Sampler title"},
        },
        "4": {
            "inputs": {"filename_prefix": "cat", "latent": ["3", 0]},
            "class_type": "Save",
            "_meta": {"title": "Save title"},
        },
    }  # fmt: skip


def test_both_schemas_mean_the_same() -> None:
    canvas = simple()
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    links = [dict(zip(keys, link, strict=True)) for link in canvas.links]
    assert graph_of({"version": 1, "nodes": canvas.nodes, "links": links}) == graph_of(canvas.document())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7, "fixed", 9, "heun"], {"seed": 7, "steps": 9, "sampler": "heun"}),
        ([7, True, 9, "heun"], {"seed": 7, "steps": 9, "sampler": "heun"}),
        ([7, False, 9, "heun", 0.25], {"seed": 7, "steps": 9, "sampler": "heun", "extra": 0.25}),
        ([7, 9, "heun"], {"seed": 7, "steps": 9, "sampler": "heun"}),
        ([7, "increment-wrap"], {"seed": 7, "steps": 20, "sampler": "euler"}),
        ([7, "fixed", 9, "sample_heun"], {"seed": 7, "steps": 9, "sampler": "heun"}),
        ([], {"seed": 0, "steps": 20, "sampler": "euler"}),
        ({"steps": 3, "sampler": "heun", "stranger": 1}, {"seed": 0, "steps": 3, "sampler": "heun"}),
    ],
)
def test_values_find_their_widgets(values: Any, expected: dict[str, Any]) -> None:
    canvas = Canvas()
    canvas.node(1, "Sampler", widgets_values=values)
    assert inputs_of(canvas) == {"extra": 0.5} | expected


@pytest.mark.parametrize(("values", "expected"), [((2,), {"size": 2}), ((2, 9), {"size": 2, "grow": 9})])
def test_a_file_older_than_an_input_says_nothing_of_it(values: tuple[int, ...], expected: dict[str, Any]) -> None:
    number = Number(0, 64)
    inputs = InputSpec("size", "INT", number, 1), InputSpec("grow", "INT", number, 6, late=True)
    canvas = Canvas()
    canvas.node(1, "Young", *values)
    specs = {"Young": spec("Young", *inputs)}
    assert to_graph(canvas.document(), specs, moment=MOMENT)["1"]["inputs"] == expected


@pytest.mark.parametrize("values", [("x.png", "alpha", "image"), ("x.png", "image", "alpha"), ("x.png", "alpha")])
def test_the_upload_button_is_passed_over(values: tuple[str, ...]) -> None:
    canvas = Canvas()
    canvas.node(1, "LoadImage", *values)
    assert inputs_of(canvas) == {"image": "x.png", "channel": "alpha"}


def test_a_converted_widget_keeps_its_place_in_the_list() -> None:
    canvas = Canvas()
    canvas.node(2, "PrimitiveNode", 42, "fixed", outputs="INT")
    canvas.node(1, "Sampler", 7, "fixed", 9, "heun", inputs="steps:INT")
    canvas.nodes[1]["inputs"][0]["widget"] = {"name": "steps"}
    canvas.wire(2, 0, 1, "steps")
    assert inputs_of(canvas) == {"seed": 7, "steps": 42, "sampler": "heun", "extra": 0.5}


def test_a_list_as_a_value_is_marked() -> None:
    canvas = Canvas()
    canvas.node(1, "Save", ["a", 0])
    assert inputs_of(canvas) == {"filename_prefix": {"__value__": ["a", 0]}}


def test_reroutes_are_wires() -> None:
    canvas = Canvas()
    canvas.node(1, "Sampler", outputs="LATENT")
    canvas.node(5, "Reroute", inputs=":*", outputs=":*")
    canvas.node(6, "Reroute", inputs=":*", outputs=":*")
    canvas.node(2, "Save", inputs="latent")
    canvas.wire(1, 0, 5, "")
    canvas.wire(5, 0, 6, "")
    canvas.wire(6, 0, 2, "latent")
    assert graph_of(canvas.document())["2"]["inputs"]["latent"] == ["1", 0]


def test_reroutes_in_a_circle_are_refused() -> None:
    canvas = Canvas()
    canvas.node(5, "Reroute", inputs=":*", outputs=":*")
    canvas.node(2, "Save", inputs="latent")
    canvas.wire(5, 0, 5, "")
    canvas.wire(5, 0, 2, "latent")
    with pytest.raises(WorkflowError, match="node 5 go in a circle"):
        graph_of(canvas.document())


def test_a_muted_node_is_left_out_with_the_wires_from_it() -> None:
    canvas = simple()
    canvas.nodes[1]["mode"] = 2
    result = graph_of(canvas.document())
    assert list(result) == ["1", "3", "4"]
    assert "positive" not in result["3"]["inputs"]


def test_a_muted_primitive_gives_no_value() -> None:
    canvas = Canvas()
    canvas.node(2, "PrimitiveNode", 42, "fixed", outputs="INT", mode=2)
    canvas.node(1, "Sampler", 7, "fixed", 9, "heun", inputs="steps:INT")
    canvas.wire(2, 0, 1, "steps")
    assert inputs_of(canvas)["steps"] == 9


def upscaled(mode: int) -> Canvas:
    canvas = Canvas()
    canvas.node(1, "Sampler", outputs="LATENT")
    canvas.node(2, "Upscale", inputs="latent", outputs="LATENT", mode=mode)
    canvas.node(3, "Save", inputs="latent")
    canvas.wire(1, 0, 2, "latent")
    canvas.wire(2, 0, 3, "latent")
    return canvas


def test_a_bypassed_node_hands_on_its_input() -> None:
    result = graph_of(upscaled(mode=4).document())
    assert list(result) == ["1", "3"]
    assert result["3"]["inputs"]["latent"] == ["1", 0]


def test_a_bypassed_node_hands_on_the_first_connected_input_that_fits() -> None:
    canvas = Canvas()
    canvas.node(1, "Sampler", outputs="LATENT")
    canvas.node(9, "LoadImage", outputs="IMAGE MASK")
    canvas.node(2, "Blend", inputs="mask a:LATENT b:LATENT", outputs="LATENT", mode=4)
    canvas.node(3, "Save", inputs="latent")
    canvas.wire(9, 1, 2, "mask")
    canvas.wire(1, 0, 2, "b")
    canvas.wire(2, 0, 3, "latent")
    assert graph_of(canvas.document())["3"]["inputs"]["latent"] == ["1", 0]


def test_a_bypassed_node_without_a_fitting_input_hands_on_nothing() -> None:
    canvas = Canvas()
    canvas.node(2, "LoadImage", outputs="IMAGE MASK", mode=4)
    canvas.node(3, "Blend", inputs="mask")
    canvas.wire(2, 1, 3, "mask")
    assert graph_of(canvas.document())["3"]["inputs"] == {}


@pytest.mark.parametrize(
    ("inputs", "outputs", "slot", "expected"),
    [
        ("a:LATENT b:LATENT", "LATENT", 0, "a"),
        ("a:LATENT b:LATENT", "LATENT LATENT", 1, "b"),
        ("a:* b:LATENT", "LATENT", 0, "b"),
        ("a:* b:IMAGE", "LATENT", 0, "a"),
        ("a:IMAGE b:*", "LATENT", 0, "b"),
        ("a:BOOLEAN b:*", "*", 0, "b"),
        ("a:IMAGE b:MASK,LATENT", "LATENT,AUDIO", 0, "b"),
        ("a:IMAGE b:MASK", "LATENT", 0, None),
    ],
)
def test_a_bypassed_node_prefers_what_names_the_type(
    inputs: str, outputs: str, slot: int, expected: str | None
) -> None:
    canvas = Canvas()
    for number, name in ((1, "a"), (2, "b")):
        canvas.node(number, "Sampler", outputs="LATENT", title=name)
    canvas.node(3, "Blend", inputs=inputs, outputs=outputs, mode=4)
    canvas.node(4, "Save", inputs="latent")
    canvas.wire(1, 0, 3, "a")
    canvas.wire(2, 0, 3, "b")
    canvas.wire(3, slot, 4, "latent")
    link = graph_of(canvas.document())["4"]["inputs"].get("latent")
    assert link == {"a": ["1", 0], "b": ["2", 0], None: None}[expected]


def test_notes_are_not_run() -> None:
    canvas = simple()
    canvas.node(8, "Note", "read me")
    canvas.node(9, "MarkdownNote", "# me")
    assert list(graph_of(canvas.document())) == ["1", "2", "3", "4"]


def test_nodes_come_in_their_order_of_execution() -> None:
    canvas = simple()
    for node, order in zip(canvas.nodes, (3, 2, 1, 0), strict=True):
        node["order"] = order
    assert list(graph_of(canvas.document())) == ["4", "3", "2", "1"]


def test_an_unknown_node_keeps_its_wires_so_that_it_can_be_named() -> None:
    canvas = simple()
    canvas.nodes[1]["type"] = "Gone"
    assert graph_of(canvas.document())["2"] == {
        "inputs": {"clip": ["1", 1]}, "class_type": "Gone", "_meta": {"title": "Positive"},
    }  # fmt: skip


def inside() -> Canvas:
    """A subgraph that encodes and samples: inputs clip, model and text, one output."""
    inner = Canvas()
    inner.node(11, "Encode", "inner text", inputs="clip text:STRING", outputs="COND")
    inner.nodes[0]["inputs"][1]["widget"] = {"name": "text"}
    inner.node(12, "Sampler", 1, "fixed", 5, "euler", inputs="model positive:COND", outputs="LATENT")
    inner.wire(-10, 0, 11, "clip")
    inner.wire(-10, 1, 12, "model")
    inner.wire(-10, 2, 11, "text")
    inner.wire(11, 0, 12, "positive")
    inner.results(12, 0, 0)
    return inner


def instance(*values: Any, **more: Any) -> Canvas:
    outer = Canvas()
    outer.node(1, "Loader", "a.safetensors", outputs="MODEL CLIP")
    outer.node(2, "box", *values, inputs="clip model text:STRING", outputs="LATENT", **more)
    outer.node(3, "Save", "x", inputs="latent")
    outer.wire(1, 1, 2, "clip")
    outer.wire(1, 0, 2, "model")
    outer.wire(2, 0, 3, "latent")
    return outer


BOX = {"subgraphs": [inside().definition("box", ["clip", "model", "text"], ["out"])]}


def test_a_subgraph_is_replaced_by_its_inside() -> None:
    result = graph_of(instance().document(definitions=BOX))
    assert list(result) == ["1", "2:11", "2:12", "3"]
    assert result["2:11"]["inputs"] == {"text": "inner text", "clip": ["1", 1]}
    assert result["2:12"]["inputs"]["model"] == ["1", 0]
    assert result["2:12"]["inputs"]["positive"] == ["2:11", 0]
    assert result["3"]["inputs"]["latent"] == ["2:12", 0]


@pytest.mark.parametrize("inner_id", ["11", "-1"])
def test_an_instance_gives_its_values_to_the_widgets_it_shows(inner_id: str) -> None:
    outer = instance("outer text", properties={"proxyWidgets": [[inner_id, "text"]]})
    assert graph_of(outer.document(definitions=BOX))["2:11"]["inputs"]["text"] == "outer text"


def test_a_wire_into_an_instance_replaces_the_value_of_the_widget_inside() -> None:
    outer = instance()
    outer.node(7, "PrimitiveNode", "wired text", outputs="STRING")
    outer.wire(7, 0, 2, "text")
    assert graph_of(outer.document(definitions=BOX))["2:11"]["inputs"]["text"] == "wired text"


def test_two_instances_are_two_sets_of_nodes() -> None:
    outer = instance()
    outer.node(5, "box", inputs="clip model text:STRING", outputs="LATENT")
    outer.wire(1, 1, 5, "clip")
    result = graph_of(outer.document(definitions=BOX))
    assert result["5:11"]["inputs"]["clip"] == ["1", 1]
    assert "model" not in result["5:12"]["inputs"]


def test_subgraphs_nest_and_their_shown_widgets_too() -> None:
    middle = Canvas()
    middle.node(21, "box", "m", inputs="clip model text:STRING", outputs="LATENT")
    middle.nodes[0]["properties"] = {"proxyWidgets": [["11", "text"]]}
    middle.wire(-10, 0, 21, "clip")
    middle.results(21, 0, 0)
    outer = Canvas()
    outer.node(1, "Loader", "a", outputs="MODEL CLIP")
    outer.node(2, "crate", "from outside", inputs="clip", outputs="LATENT")
    outer.nodes[1]["properties"] = {"proxyWidgets": [["21", "text"]]}
    outer.node(3, "Save", "x", inputs="latent")
    outer.wire(1, 1, 2, "clip")
    outer.wire(2, 0, 3, "latent")
    definitions = {"subgraphs": [*BOX["subgraphs"], middle.definition("crate", ["clip"], ["out"])]}
    result = graph_of(outer.document(definitions=definitions))
    assert result["2:21:11"]["inputs"] == {"text": "from outside", "clip": ["1", 1]}
    assert result["3"]["inputs"]["latent"] == ["2:21:12", 0]


def test_a_bypassed_instance_hands_on_and_a_muted_one_does_not() -> None:
    inner = Canvas()
    inner.node(11, "Upscale", inputs="latent", outputs="LATENT")
    inner.wire(-10, 0, 11, "latent")
    inner.results(11, 0, 0)
    definitions = {"subgraphs": [inner.definition("up", ["latent"], ["latent"])]}
    for mode, expected in ((0, ["2:11", 0]), (4, ["1", 0]), (2, None)):
        canvas = upscaled(mode)
        canvas.nodes[1]["type"] = "up"
        result = graph_of(canvas.document(definitions=definitions))
        assert result["3"]["inputs"].get("latent") == expected


def test_a_subgraph_that_contains_itself_is_refused() -> None:
    inner = Canvas()
    inner.node(5, "loop")
    canvas = Canvas()
    canvas.node(1, "loop")
    with pytest.raises(WorkflowError, match="node 1:5 contains itself"):
        graph_of(canvas.document(definitions={"subgraphs": [inner.definition("loop")]}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {red|green} cat", "a green cat"),
        ("{a|{b|c}} x", "c x"),
        (r"\{a\|b\}", "{a|b}"),
        ("a // all of this\nb /* and\nthis */ c", "a \nb  c"),
        ("{only}", "only"),
        ("a {b|c", "a {b|c"),
        ("a } b | c", "a } b | c"),
        ("{a|{b|c", "{a|{b|c"),
        ("{" * 50_000, "{" * 50_000),
        ("/*a" * 50_000, "/*a" * 50_000),
        ("a /* b // c\nd", "a /* b \nd"),
    ],
)
def test_dynamic_prompts_are_decided(text: str, expected: str) -> None:
    canvas = Canvas()
    canvas.node(1, "Encode", text)
    assert graph_of(canvas.document(), choose=lambda options: options[-1])["1"]["inputs"]["text"] == expected


def test_file_prefixes_take_dates_and_values_of_other_nodes() -> None:
    canvas = simple()
    canvas.nodes[2]["properties"] = {"Node name for S&R": "KSampler"}
    canvas.nodes[3]["widgets_values"] = ["%date:yyyy-MM-dd_hhmmss%/%KSampler.seed%_%Positive.text%_%width%_%No.x%"]
    prefix = graph_of(canvas.document())["4"]["inputs"]["filename_prefix"]
    assert prefix == "2026-03-07_090502/7_a cat_%width%_%No.x%"


def test_file_prefixes_take_the_values_that_primitives_bring_and_those_of_nodes_that_do_not_run() -> None:
    canvas = simple()
    canvas.node(8, "PrimitiveNode", 42, "fixed", outputs="INT", title="Steps")
    canvas.nodes[2]["inputs"].append({"name": "steps", "type": "INT", "widget": {"name": "steps"}})
    canvas.wire(8, 0, 3, "steps")
    canvas.node(9, "Encode", "off", title="Muted", mode=2)
    canvas.node(10, "Encode", "other", title="Muted", mode=4)
    canvas.nodes[3]["widgets_values"] = ["%Sampler.steps%_%Steps.value%_%Muted.text%"]
    canvas.nodes[2]["title"] = "Sampler"
    assert graph_of(canvas.document())["4"]["inputs"]["filename_prefix"] == "42_42_off"


def test_what_is_adjusted_counts_as_typed() -> None:
    def adjust(graph: dict[str, Any]) -> dict[str, Any]:
        graph["3"]["inputs"] |= {"seed": 8, "sampler": "sample_heun"}
        graph["2"]["inputs"]["text"] = "{a|b}"
        graph["4"]["inputs"]["filename_prefix"] = "%Sampler.seed%"
        return graph

    canvas = simple()
    canvas.nodes[2]["title"] = "Sampler"
    graph = graph_of(canvas.document(), choose=lambda options: options[-1], adjust=adjust)
    assert (graph["3"]["inputs"]["sampler"], graph["2"]["inputs"]["text"]) == ("heun", "b")
    assert graph["4"]["inputs"]["filename_prefix"] == "8"


def test_values_in_file_prefixes_cannot_lead_elsewhere() -> None:
    canvas = simple()
    canvas.nodes[1]["widgets_values"] = ["../../x"]
    canvas.nodes[3]["widgets_values"] = ["%Positive.text%"]
    assert graph_of(canvas.document())["4"]["inputs"]["filename_prefix"] == ".._.._x"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "not an object"),
        ({}, "no list of nodes"),
        ({"nodes": [5]}, r"nodes\[0\] of the workflow is not an object"),
        ({"nodes": [{"id": [], "type": "x"}]}, "neither a number nor a text"),
        ({"nodes": [{"id": 1}]}, "type of node 1"),
        ({"nodes": [{"id": 1, "type": "x"}, {"id": "1", "type": "y"}]}, "the id 1"),
        ({"nodes": [{"id": 1, "type": "x", "widgets_values": "text"}]}, "neither a list nor an object"),
        ({"nodes": [], "links": [[1, 2]]}, r"links\[0\] of the workflow is no link"),
        ({"nodes": [], "links": [["a", 1, 0, 2, 0, "X"]]}, "no whole number"),
        ({"nodes": [], "definitions": {"subgraphs": [{}]}}, r"subgraphs\[0\].id is not a text"),
    ],
)
def test_what_is_no_workflow_is_refused_with_the_place(document: Any, message: str) -> None:
    with pytest.raises(WorkflowError, match=message):
        graph_of(document)
