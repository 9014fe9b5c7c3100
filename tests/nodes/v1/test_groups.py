"""Foreign nodes get growing inputs and what choices bring as dictionaries; clients and graphs see them as ours."""

from ast import literal_eval
from collections.abc import Callable
from typing import Any

import pytest

from execution.engine import Problem
from execution.graph import parse
from execution.hooks import hook_problems, settled
from execution.kinds import Kinds
from execution.validation import check
from execution.workflow.convert import to_graph
from nodes.inputs import given
from nodes.object_info import entry
from nodes.v1.adapter import ForeignClass
from nodes.v1.declaration import ForeignDeclarationError
from nodes.v1.runtime import NotOfferedError
from tests.execution.fake_host import FakeFiles
from tests.nodes.v1.conftest import Bench, node

PACK = "grouped_nodes.py"


def run(made: Bench, tested: dict[str, Any], **others: Any) -> Any:
    """What the tested node has given to its reader."""
    graph = {"tested": tested, **others, "shown": node("Test Show", value=["tested", 0])}
    return literal_eval(made.shown(graph, "shown")["text"][0])


@pytest.mark.parametrize(
    ("inputs", "texts", "named"),
    [
        ({"texts.text0": "x", "texts.text1": "y"}, {"text0": "x", "text1": "y"}, {}),
        ({"texts.text3": "z", "texts.text0": "x", "texts.text1": "y"}, {"text0": "x", "text1": "y", "text3": "z"}, {}),
        ({"texts.text0": "x", "texts.text1": "y", "named.blue": 3}, {"text0": "x", "text1": "y"}, {"blue": 3}),
    ],
)
def test_a_group_that_grows_is_a_dictionary_of_what_is_given(bench, inputs, texts, named) -> None:
    assert run(bench(PACK), node("Test Join", **inputs)) == {"texts": texts, "named": named}


@pytest.mark.parametrize(
    ("inputs", "how"),
    [
        ({"how": "square", "how.size": 64}, {"how": "square", "size": 64}),
        ({"how": "square", "how.size": 64, "how.other": 1}, {"how": "square", "size": 64}),
        ({"how": "like", "how.other": "o"}, {"how": "like", "other": "o", "mask": None}),
        ({"how": "cover"}, {"how": "cover"}),
        (
            {"how": "by", "how.unit": "pixels", "how.unit.count": 3},
            {"how": "by", "unit": {"unit": "pixels", "count": 3}},
        ),
        (
            {"how": "by", "how.unit": "parts", "how.unit.parts.part_0": 1, "how.unit.parts.part_2": 2},
            {"how": "by", "unit": {"unit": "parts", "parts": {"part_0": 1, "part_2": 2}}},
        ),
    ],
)
def test_a_choice_is_a_dictionary_of_the_word_and_what_it_brings(bench, inputs, how) -> None:
    assert run(bench(PACK), node("Test Resize", note="n", **inputs)) == how


def test_a_node_that_takes_lists_finds_lists_in_its_groups(bench) -> None:
    inputs = {"items.item0": 1, "items.item1": "b", "how": "flat", "how.most": 2}
    assert run(bench(PACK), node("Test Together", **inputs)) == {
        "items": {"item0": [1], "item1": ["b"]},
        "how": {"how": ["flat"], "most": [2]},
    }


def test_a_group_tells_a_lazy_node_its_members_names_and_evaluates_those_it_names(bench) -> None:
    made = bench(PACK)
    joined = {name: node("Test Join", **{"texts.text0": name, "texts.text1": "-"}) for name in "xyz"}
    wires = {f"among.{member}": [name, 0] for member, name in zip("abc", "xyz", strict=True)}
    picked = run(made, node("Test Pick", number=1, **wires), **joined)
    assert picked["texts"]["text0"] == "y"
    started = [one.node_id for one in made.events if type(one).__name__ == "NodeStarted"]
    assert set(started) == {"y", "tested", "shown"}
    pick = made.registry["Test Pick"]
    assert pick.needed is not None
    assert pick.needed(**{"number": 0, "among.a": None, "among.b": 2}) == ["among.a"]
    assert pick.needed(**{"number": 1, "among.a": None, "among.b": 2}) == []


def test_hooks_see_what_the_node_sees(bench) -> None:
    resize = bench(PACK).registry["Test Resize"]
    assert resize.validate(**{"how": "square", "how.size": 13}) == "too square"
    assert resize.validate(**{"how": "square", "how.size": 14}) is True
    assert resize.fingerprint(**{"how": "like", "how.other": None, "note": "a"}) == "'a like'"


def test_the_engine_gives_a_check_what_the_word_brings(bench) -> None:
    made = bench(PACK)
    graph = parse({"1": node("Test Resize", **{"how": "square", "how.size": 13})})
    idle = made.custom._runtime.context
    found = hook_problems(graph, ["1"], Kinds(made.registry), lambda node_id: idle, settled)
    assert [problem.details for problem in found["1"]] == ["how - too square"]


def problems(made: Bench, tested: dict[str, Any]) -> list[Problem]:
    graph = {"tested": tested, "shown": node("Test Show", value=["tested", 0])}
    found = check(graph, made.registry, FakeFiles()).node_errors
    return list(found["tested"].errors) if found else []


BY = {"how": "by", "how.unit": "parts"}


@pytest.mark.parametrize(
    ("inputs", "kind", "name"),
    [
        ({"texts.text0": "x"}, "required_input_missing", "texts.text1"),
        ({"texts.text0": "x", "texts.text1": {}}, "invalid_input_type", "texts.text1"),
        ({"texts.text0": "x", "texts.text1": "y", "texts.text4": "z"}, "custom_validation_failed", "texts.text4"),
        ({"texts.text0": "x", "texts.text1": "y", "named.green": 1}, "custom_validation_failed", "named.green"),
        ({}, "required_input_missing", "how"),
        ({"how": "round"}, "value_not_in_list", "how"),
        ({"how": "square", "how.size": 4}, "value_smaller_than_min", "how.size"),
        ({"how": "like"}, "required_input_missing", "how.other"),
        ({"how": "by", "how.unit": "miles"}, "value_not_in_list", "how.unit"),
        ({"how": "by", "how.unit": "pixels", "how.unit.count": 65}, "value_bigger_than_max", "how.unit.count"),
        (BY, "required_input_missing", "how.unit.parts.part_0"),
        (
            {**BY, "how.unit.parts.part_0": 1, "how.unit.parts.part_3": 1},
            "custom_validation_failed",
            "how.unit.parts.part_3",
        ),
    ],
)
def test_a_problem_names_the_input_by_its_full_name(bench, inputs, kind, name) -> None:
    made = bench(PACK)
    tested = node(
        "Test Resize" if any(one.startswith("how") for one in inputs) or not inputs else "Test Join", **inputs
    )
    found = {(problem.type, problem.extra_info["input_name"]) for problem in problems(made, tested)}
    # A node that checks `how` itself is not checked for it here as well.
    assert (kind, name) in found or (name == "how" and kind == "value_not_in_list" and not found)


def test_what_a_word_brings_is_filled_in(bench) -> None:
    made = bench(PACK)
    graph = {"1": node("Test Resize", how="square"), "2": node("Test Show", value=["1", 0])}
    checked = check(graph, made.registry, FakeFiles())
    assert checked.graph.read()["1"]["inputs"] == {"how": "square", "how.size": 512, "note": "-"}


def test_clients_read_the_groups_as_comfyui_spells_them(bench) -> None:
    made = bench(PACK)
    text = {"required": {"text": ["STRING", {"multiline": False, "forceInput": True}]}}
    joined = entry(made.registry["Test Join"], list)["input"]
    assert joined["required"] == {
        "texts": ["COMFY_AUTOGROW_V3", {"template": {"input": text, "prefix": "text", "min": 2, "max": 4}}]
    }
    extra = {"required": {}, "optional": {"extra": ["*", {}]}}
    assert joined["optional"] == {
        "named": ["COMFY_AUTOGROW_V3", {"template": {"input": extra, "names": ["red", "blue"], "min": 0}}]
    }
    _, how = entry(made.registry["Test Resize"], list)["input"]["required"]["how"]
    part = {"required": {"part": ["*", {}]}}
    parts = ["COMFY_AUTOGROW_V3", {"template": {"input": part, "prefix": "part_", "min": 1, "max": 3}}]
    count = ["INT", {"default": 8, "min": 1, "max": 64}]
    units = [
        {"key": "pixels", "inputs": {"required": {"count": count}}},
        {"key": "parts", "inputs": {"required": {"parts": parts}}},
    ]
    assert how == {
        "tooltip": "Which way",
        "options": [
            {"key": "square", "inputs": {"required": {"size": ["INT", {"default": 512, "min": 8, "max": 1024}]}}},
            {"key": "like", "inputs": {"required": {"other": ["*", {}]}, "optional": {"mask": ["MASK", {}]}}},
            {"key": "by", "inputs": {"required": {"unit": ["COMFY_DYNAMICCOMBO_V3", {"options": units}]}}},
            {"key": "cover", "inputs": {"required": {}}},
        ],
    }
    picked = entry(made.registry["Test Pick"], list)
    one = {"lazy": True, "template": {"template_id": "T", "allowed_types": "STRING,INT"}}
    _, among = picked["input"]["required"]["among"]
    assert among["template"]["input"] == {"required": {"one": ["STRING,INT", one]}}
    assert picked["output"] == ["STRING,INT"]


@pytest.mark.parametrize(
    ("values", "inputs"),
    [
        (["square", 64, "n"], {"how": "square", "how.size": 64, "note": "n"}),
        (["by", "pixels", 3, "n"], {"how": "by", "how.unit": "pixels", "how.unit.count": 3, "note": "n"}),
        (["by", "parts", "n"], {"how": "by", "how.unit": "parts", "how.unit.parts.part_0": ["2", 0], "note": "n"}),
        (["cover", "n"], {"how": "cover", "note": "n"}),
        ([], {"how": "square", "how.size": 512, "note": "-"}),
        ({"how": "by"}, {"how": "by", "how.unit": "pixels", "how.unit.count": 8, "note": "-"}),
    ],
)
def test_a_saved_workflow_gives_the_values_in_the_order_of_what_is_chosen(bench, values, inputs) -> None:
    wired = "how.unit.parts.part_0" in inputs
    slot = {"name": "how.unit.parts.part_0", "type": "*", "link": 1 if wired else None}
    resize = {"id": 1, "type": "Test Resize", "inputs": [slot], "widgets_values": values}
    join = {"id": 2, "type": "Test Join", "widgets_values": [], "outputs": [{"name": "*", "type": "*"}]}
    document = {"version": 0.4, "nodes": [resize, join], "links": [[1, 2, 0, 1, 0, "*"]] if wired else []}
    assert to_graph(document, bench(PACK).registry)["1"]["inputs"] == inputs


class Plain:
    """A node of the older protocol that spells the groups out."""

    RETURN_TYPES = ("COMFY_MATCHTYPE_V3",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        item = {"required": {"item": ("IMAGE", {})}}
        return {
            "required": {
                "items": ("COMFY_AUTOGROW_V3", {"template": {"input": item, "prefix": "item", "min": 1, "max": 2}}),
                "match": ("COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "IMAGE,MASK"}}),
            }
        }

    def run(self, items: dict[str, Any], match: Any) -> tuple[Any]:
        return (items,)


def test_a_node_of_the_older_protocol_may_spell_the_groups_out() -> None:
    spec = ForeignClass("Plain", Plain, "Plain", "custom_nodes.plain", None).spec()
    assert [(one.name, one.type) for one in given(spec.inputs, {})] == [
        ("items.item0", "IMAGE"),
        ("items.item1", "IMAGE"),
        ("match", "IMAGE,MASK"),
    ]
    assert spec.outputs[0].type == "*"


def growing(**template: Any) -> dict[str, Any]:
    return {"required": {"items": ("COMFY_AUTOGROW_V3", {"template": template} if template else {})}}


ITEM = {"required": {"item": ("IMAGE", {})}}


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        (growing(), "'template'"),
        (growing(prefix="a"), "'input'"),
        (growing(input={"required": {}}, prefix="a"), "grows by 0 inputs"),
        (growing(input=growing(input=ITEM, prefix="b"), prefix="a"), "grows by 'items', which stands for several"),
        (growing(input=ITEM, prefix="a", max=101), "1 to 100 members"),
        (growing(input=ITEM, names=[]), "1 to 100 members"),
        (growing(input=ITEM, prefix="a", min=3, max=2), "from 3 to 2"),
        ({"required": {"how": ("COMFY_DYNAMICCOMBO_V3", {})}}, "choice without options"),
        ({"required": {"how": ("COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "a"}]})}}, "'inputs'"),
    ],
)
def test_a_group_that_is_declared_wrongly_is_named_with_what_is_wrong(declared, told) -> None:
    wrong = type("Wrong", (Plain,), {"INPUT_TYPES": classmethod(lambda cls: declared)})
    with pytest.raises(ForeignDeclarationError, match=told):
        ForeignClass("Wrong", wrong, "Wrong", "custom_nodes.wrong", None).spec()


def test_what_is_not_offered_is_refused_by_name(bench: Callable[..., Bench]) -> None:
    bench(PACK)
    from comfy_api.latest import io

    with pytest.raises(NotOfferedError, match=r"io\.DynamicSlot"):
        io.DynamicSlot.Input("slot", [])
