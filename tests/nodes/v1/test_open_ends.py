"""Inputs and outputs beyond those that a node declares, as scripts of ComfyUI's editor add them."""

import sys

import pytest

from execution.validation import check
from execution.workflow.convert import to_graph
from nodes.object_info import entry
from tests.nodes.v1.conftest import node

PACKS = ("image_filters.py", "switches.py", "open_ends.py")


class NoFiles:
    def choices(self, folder):
        return ()

    def has(self, folder, name):
        return False


def told(**value):
    return node("Test Told", **value)


def problems(made, graph):
    checked = check(graph, {id: spec.without_code() for id, spec in made.registry.items()}, NoFiles())
    return {id: [one.type for one in found.errors] for id, found in checked.node_errors.items()}


def test_an_output_beyond_the_declared_ones_reaches_its_reader(bench):
    made = bench(*PACKS)
    graph = {
        "1": node("Test InversedSwitch", select=3, input="here"),
        "2": told(value=["1", 2]),
        "3": told(value=["1", 1]),
        "4": told(value=["1", 7]),
    }
    assert made.shown(graph, "2")["text"] == ["'here'"]
    assert made.shown(graph, "3")["text"] == ["None"]
    assert made.shown(graph, "4")["text"] == ["None"], "what the node has not given is None to its readers"


def test_outputs_beyond_the_declared_ones_are_cached(bench):
    made = bench(*PACKS)
    graph = {"1": node("Test InversedSwitch", select=2, input="x"), "2": told(value=["1", 1])}
    counted = sys.modules["custom_nodes.open_ends"].InversedSwitch
    assert [made.shown(graph, "2")["text"] for _ in range(2)] == [["'x'"]] * 2
    again = {"9": graph["1"], "8": told(value=["9", 1]), "7": told(value=["9", 0])}
    assert made.shown(again, "7")["text"] == ["None"]
    assert counted.runs == 1


@pytest.mark.parametrize("kind", ["Test Spread", "Test Relay"])
def test_a_node_may_show_expand_and_be_mapped_with_such_outputs(bench, kind):
    made = bench(*PACKS)
    graph = {
        "1": node("Test SplitText", text="a b,c d", by=","),
        "2": node(kind, text=["1", 0]),
        "3": node("Test JoinTexts", texts=["2", 2], by="-"),
        "4": told(value=["3", 0]),
    }
    assert made.shown(graph, "4")["text"] == ["'b-d'"]


def test_a_blocked_node_blocks_the_readers_of_all_its_outputs(bench):
    made = bench(*PACKS)
    graph = {
        "1": node("Test Gate", value="x", open=False),
        "2": node("Test InversedSwitch", select=1, input=["1", 0]),
        "3": told(value=["2", 5]),
    }
    assert type(made.run(graph, "3")).__name__ == "JobSucceeded"
    assert not [one for one in made.events if type(one).__name__ == "NodeFinished" and one.ui]


def test_links_from_such_outputs_are_of_the_type_that_the_node_tells(bench):
    made = bench(*PACKS)
    graph = {
        "1": node("Test Spread", text="a b"),
        "2": node("Test Upper", text=["1", 2]),
        "3": node("PreviewImage", images=["1", 2]),
        "4": node("Test Upper", text=["1", 0]),
        "5": told(value=["2", 0]),
        "6": told(value=["4", 0]),
        "7": node("Test Upper", text=["2", 1]),
        "8": told(value=["7", 0]),
    }
    assert problems(made, graph) == {
        "3": ["return_type_mismatch"], "4": ["return_type_mismatch"], "7": ["bad_linked_input"]
    }  # fmt: skip


def test_such_outputs_are_found_in_saved_workflows_and_described_as_declared(bench):
    made = bench(*PACKS)
    spec = made.registry["Test InversedSwitch"]
    assert entry(spec, list)["output"] == ["*"]
    assert spec.output(0).type == spec.output(99).type == "*"
    assert spec.output(-1) is None
    assert made.registry["Test Upper"].output(1) is None
    drawn = [
        {"id": 1, "type": "Test InversedSwitch", "inputs": [{"name": "input", "type": "*", "link": None}],
         "outputs": [{"name": "output1", "type": "*"}, {"name": "output2", "type": "*"}], "widgets_values": [2]},
        {"id": 2, "type": "Test Told", "inputs": [{"name": "value", "type": "*", "link": 5}], "outputs": []},
    ]  # fmt: skip
    graph = to_graph({"version": 0.4, "nodes": drawn, "links": [[5, 1, 1, 2, 0, "*"]]}, made.registry)
    assert graph["2"]["inputs"] == {"value": ["1", 1]}


def test_inputs_of_any_name_are_as_lazy_as_the_dictionary_that_holds_them_says(bench):
    made = bench(*PACKS)
    graph = {
        "1": node("Test Fails"),
        "2": node("Test Upper", text="kept"),
        "3": node("Test PickByName", name="b", a=["1", 0], b=["2", 0]),
        "4": told(value=["3", 0]),
    }
    assert made.shown(graph, "4")["text"] == ["('KEPT', [('a', None), ('b', 'KEPT')])"]


def test_inputs_that_the_editor_has_added_are_as_lazy_as_the_declared_one_but_for_its_number(bench):
    made = bench(*PACKS)
    graph = {
        "1": node("Test Fails"),
        "2": node("Test Upper", text="a"),
        "3": node("Test Upper", text="b"),
        "5": node(
            "Test PickByNumber",
            number=2,
            by2=["3", 0],
            by3=["3", 0],
            input1=["1", 0],
            input2=["2", 0],
            input30=["1", 0],
        ),
        "6": told(value=["5", 0]),
    }
    assert made.shown(graph, "6")["text"] == ["'ABB'"]
    assert "1" not in {one.node_id for one in made.events if type(one).__name__ == "NodeStarted"}
