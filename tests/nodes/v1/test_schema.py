"""The newer interface of packs: what nodes declare, are told, give, show and save."""

import asyncio
from ast import literal_eval
from dataclasses import replace
from typing import Any

import pytest
import torch
from PIL import Image

from execution.validation import check
from execution.workflow.convert import to_graph
from nodes.object_info import entry
from tests.execution.fake_host import FakeFiles
from tests.nodes.v1.conftest import Bench, node

PACK = "schema_forms.py"
BLACK, WHITE = (node("EmptyImage", width=8, height=8, color=color) for color in (0, 0xFFFFFF))
PICTURES = {"black": BLACK, "white": WHITE, "1": node("ImageBatch", image1=["black", 0], image2=["white", 0])}

DECLARED: dict[str, list[Any]] = {
    "seed": [
        "INT",
        {"default": 0, "min": 0, "max": 9, "control_after_generate": "fixed", "tooltip": "Told later"},
    ],
    "gradient": ["FLOAT", {"default": 0.5, "min": 0, "max": 1, "display": "gradientslider"}],
    "wired": ["FLOAT", {"forceInput": True}],
    "text": ["STRING", {"multiline": True, "dynamicPrompts": True, "placeholder": "Words", "advanced": True}],
    "kept": ["STRING", {"default": "", "multiline": False, "socketless": True}],
    "on": ["BOOLEAN", {"default": True, "label_on": "Yes", "label_off": "No"}],
    "blend": [
        "COMBO",
        {
            "default": "screen",
            "options": ["normal", "screen"],
            "multiselect": False,
            "control_after_generate": True,
        },
    ],
    "file": ["COMBO", {"options": [], "multiselect": False, "image_upload": True, "image_folder": "output"}],
    "far": [
        "COMBO",
        {"multiselect": False, "remote": {"route": "/far", "refresh_button": True, "control_after_refresh": "first"}},
    ],
    "tags": ["COMBO", {"options": ["a", "b"], "default": ["a"], "multiselect": True, "chip": True}],
    "color": ["COLOR", {"default": "#ffffff", "socketless": True}],
    "box": [
        "BOUNDING_BOX",
        {"default": {"x": 0, "y": 0, "width": 512, "height": 512}, "socketless": True, "component": "Crop"},
    ],
    "rate": ["FLOAT,INT", {"default": 25.0, "min": 1.0, "max": 99.0, "widgetType": "FLOAT"}],
    "either": ["IMAGE,MASK", {}],
    "other": ["TEST_OTHER", {"note": 1}],
    "beats": [
        "TEST_BEATS",
        {
            "tooltip": "Heard",
            "default": {"beats": []},
            "socketless": True,
            "bars": 4,
            "advanced": True,
            "beats": True,
        },
    ],
    "data": ["TEST_DATA", {"rawLink": True, "display_name": "Data"}],
}


@pytest.mark.parametrize("name", DECLARED)
def test_an_input_is_declared_as_comfyui_declares_it(bench, name: str) -> None:
    groups = entry(bench(PACK).registry["Test Inputs"], list)["input"]
    assert (groups["required"] | groups["optional"])[name] == DECLARED[name]


def test_outputs_are_declared_with_their_names(bench) -> None:
    info = entry(bench(PACK).registry["Test Inputs"], list)
    assert info["search_aliases"] == ["everything"]
    assert (info["output"], info["output_name"]) == (["TEST_DATA", "IMAGE"], ["TEST_DATA", "many"])
    assert (info["output_is_list"], info["output_tooltips"]) == ([False, True], ["", "All"])


VALUES = {
    "seed": 3, "gradient": 0.25, "text": "t", "kept": "k", "on": False, "blend": "normal", "file": "a.png [output]",
    "far": "whichever", "tags": ["b"], "color": "#102030", "box": {"x": 1, "y": 2, "width": 3, "height": 4},
    "rate": 30, "beats": {"beats": [1, 2]}, "other": {"any": "value"},
}  # fmt: skip


def problems_of(made: Bench, **changed: Any) -> set[str]:
    tested = node("Test Inputs", **VALUES | {"tags": {"__value__": ["b"]}} | changed)
    found = check({"1": tested, "2": node("PreviewAny", source=["1", 0])}, made.registry, FakeFiles())
    errors = found.node_errors["1"].errors if "1" in found.node_errors else ()
    return {problem.extra_info["input_name"] for problem in errors}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, set()),
        ({"rate": 100}, {"rate"}),
        ({"rate": 0.5}, {"rate"}),
        ({"blend": "multiply"}, {"blend"}),
        ({"either": 5}, {"either"}),
        ({"data": 5}, {"data"}),
        ({"seed": 10, "gradient": 2}, {"seed", "gradient"}),
    ],
)
def test_values_are_taken_where_no_node_gives_the_type_and_checked_where_there_is_a_widget(bench, changed, wrong):
    # The choice of files is empty here, as it is in a folder without files.
    assert problems_of(bench(PACK), **changed) == wrong | {"file"}


def test_a_saved_workflow_gives_every_widget_its_value(bench) -> None:
    values = dict(VALUES)
    del values["other"]
    stored = [part for name, value in values.items() for part in [value, *BESIDE.get(name, ())]]
    drawn = {"id": 1, "type": "Test Inputs", "widgets_values": stored}
    inputs = to_graph({"version": 0.4, "nodes": [drawn]}, bench(PACK).registry)["1"]["inputs"]
    assert inputs == values | {"tags": {"__value__": ["b"]}}


BESIDE = {"seed": ["fixed"], "blend": ["randomize"], "file": ["image"]}
"""What ComfyUI's editor keeps beside a value."""


def test_an_input_may_have_the_name_of_a_hidden_one(bench) -> None:
    made = bench(PACK)
    shown = made.shown({"1": node("Test Hidden", prompt="mine")}, "1")["text"][0]
    assert literal_eval(shown) == ("mine", "1", "Test Hidden", None, None)
    assert made.registry["Test Hidden"].fingerprint(prompt="mine", unique_id="7") == "'mine 7'"


@pytest.mark.parametrize(
    ("form", "shown", "given"),
    [
        ("output", {"text": ["output"]}, "output"),
        ("dictionary", {"text": ["dictionary"]}, "dictionary"),
        ("tuple", None, "tuple"),
        ("none", None, None),
        ("blocked", {"text": ["blocked"]}, None),
    ],
)
def test_a_node_may_answer_in_every_form(bench, form: str, shown: Any, given: str | None) -> None:
    made = bench(PACK)
    made.run({"1": node("Test Forms", form=form), "2": node("PreviewAny", source=["1", 0])}, "1", "2")
    uis = {one.node_id: one.ui for one in made.events if type(one).__name__ == "NodeFinished" and one.ui}
    assert uis.get("1") == shown
    assert uis.get("2") == (None if given is None else {"text": [given]})


@pytest.mark.parametrize(
    ("way", "kind", "count", "suffix"),
    [
        ("png", "output", 2, ".png"),
        ("temp png", "temp", 2, ".png"),
        ("input png", "input", 2, ".png"),
        ("apng", "output", 1, ".png"),
        ("webp", "output", 1, ".webp"),
    ],
)
def test_pictures_are_saved_where_and_as_the_node_says(bench, way, kind, count, suffix) -> None:
    made = bench(PACK)
    shown = made.shown({**PICTURES, "2": node("Test Saves", images=["1", 0], way=way)}, "2")
    files = shown["images"]
    assert [one["type"] for one in files] == [kind] * count
    assert shown.get("animated") == ([True] if count == 1 else None)
    for one in files:
        path = made.paths.root(kind) / one["subfolder"] / one["filename"]
        assert path.suffix == suffix
        with Image.open(path) as picture:
            assert getattr(picture, "n_frames", 1) == (2 if count == 1 else 1)


def test_progress_is_told_in_whole_steps_and_fractions_with_a_picture(bench) -> None:
    made = bench(PACK)
    told: list[tuple[float, float, bytes | None]] = []
    spec = made.registry["Test Tells"]
    context = replace(made.custom._runtime.context, progress=lambda *step: told.append(step))
    assert spec.function is not None
    asyncio.run(spec.function(image=torch.zeros(2, 8, 8, 3), **{spec.context_parameter: context}))
    assert told[0] == (1, 4, None)
    assert told[1][:2] == (0.5, 1.0)
    assert told[1][2] is not None
    assert told[1][2][:2] == b"\xff\xd8"


def test_a_node_learns_which_job_node_and_item_of_a_list_runs(bench) -> None:
    made = bench(PACK)
    graph = {
        "1": node("CreateList", **{"inputs.input0": 1, "inputs.input1": 3}),
        "7": node("Test Where", item=["1", 0]),
    }
    shown = made.shown(graph, "7")["text"]
    assert [literal_eval(one) for one in shown] == [("job", "7", 0), ("job", "7", 1)]
    progress = [one for one in made.events if type(one).__name__ == "NodeProgress"]
    assert [(one.node_id, one.value, one.maximum) for one in progress] == [("7", 1, 4), ("7", 3, 4)]


def test_a_node_stays_under_the_id_that_it_had_before_if_nothing_else_has_changed(bench, caplog) -> None:
    made = bench(PACK)
    assert made.shown({"1": node("Test OldForms", form="output")}, "1") == {"text": ["output"]}
    assert (made.registry["Test OldForms"].deprecated, made.registry["Test Forms"].deprecated) == (True, False)
    assert "Test OtherForms" not in made.registry
    assert "the place of Test OtherForms with other inputs or outputs" in caplog.text


def test_other_packs_find_the_node_in_both_protocols(bench) -> None:
    made = bench(PACK)
    found = made.custom._runtime.classes["Test Forms"]
    assert found.execute("tuple") == ("tuple",)
    assert getattr(found(), found.FUNCTION)(form="output").result == ("output",)
    assert (found.RETURN_TYPES, found.GET_SCHEMA().node_id) == (("STRING",), "Test Forms")


def test_films_can_be_named_and_not_made(bench) -> None:
    made = bench(PACK)
    outcome = made.run({**PICTURES, "2": node("Test Film", images=["1", 0])}, "2")
    assert "'schema_forms' uses comfy_api.util.VideoComponents, which Weft does not offer" in outcome.message


def test_a_schema_that_cannot_be_is_told_and_harms_no_other_node(bench) -> None:
    made = bench("schema_twins.py")
    told = made.custom.failures["schema_twins"]
    assert "Test Twins has several inputs of the id 'image'" in told
    assert "The node 'Twins' is left out" in told
    assert "Bare has no define_schema" in told
    assert "Test Twins" not in made.registry
    assert "Test Sound" in made.registry
