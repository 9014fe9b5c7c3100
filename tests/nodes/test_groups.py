"""Parameters that stand for several inputs: groups that grow, and choices with inputs of their own."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from nodes.inputs import given
from nodes.object_info import entry
from nodes.spec import Grows, NodeDeclarationError, NodeSpec, Number, Socket, Variants, node, spec_of

THING = Annotated[object, Socket("THING")]
Count = Annotated[int, Number(1, 9)]


@dataclass(frozen=True)
class Times:
    count: Count = 2


@dataclass(frozen=True)
class Like:
    other: THING


@node("Gather", category="test")
def gather(
    *,
    things: Annotated[Sequence[THING], Grows("thing", min=1, max=3)],
    named: Annotated[Mapping[str, THING], Grows("value", min=0, names=("a", "b"))],
    how: Annotated[Times | Like, Variants({"times": Times, "like": Like})],
) -> THING:
    """What it is given."""
    return things, named, how


@pytest.fixture
def spec() -> NodeSpec:
    found = spec_of(gather)
    assert found is not None
    return found


def named_by_graphs(spec: NodeSpec, **values: Any) -> dict[str, bool]:
    return {one.name: one.optional for one in given(spec.inputs, values)}


def test_a_group_stands_for_its_members_of_which_the_first_are_required(spec: NodeSpec) -> None:
    names = named_by_graphs(spec)
    assert [name for name in names if name.startswith("things.")] == ["things.thing0", "things.thing1", "things.thing2"]
    assert [name for name, optional in names.items() if not optional] == ["things.thing0", "how"]


@pytest.mark.parametrize(("word", "part"), [("times", "how.count"), ("like", "how.other")])
def test_a_choice_decides_which_inputs_there_are(spec: NodeSpec, word: str, part: str) -> None:
    assert list(named_by_graphs(spec, how=word))[-2:] == ["how", part]


@pytest.mark.parametrize("word", ["unknown", None, ["a", 0]])
def test_a_choice_of_anything_else_brings_no_inputs(spec: NodeSpec, word: Any) -> None:
    assert list(named_by_graphs(spec, how=word))[-1] == "how"


def test_the_function_gets_one_value_for_each_parameter(spec: NodeSpec) -> None:
    assert spec.function is not None
    inputs = {"things.thing0": "x", "things.thing2": "z", "named.b": 1, "how": "times", "how.count": 3}
    assert spec.function(**inputs) == (("x", "z"), {"b": 1}, Times(3))
    assert spec.function(**{"how": "like", "how.other": "o"}) == ((), {}, Like("o"))


def test_what_a_graph_leaves_out_is_as_the_class_says(spec: NodeSpec) -> None:
    assert spec.function is not None
    assert spec.function(how="times")[2] == Times(2)


def test_the_declaration_crosses_processes_without_the_classes(spec: NodeSpec) -> None:
    assert b"Times" not in pickle.dumps(spec.without_code())
    assert pickle.loads(pickle.dumps(spec.without_code())) == spec


def test_clients_read_the_groups_as_comfyui_spells_them(spec: NodeSpec) -> None:
    declared = entry(spec, lambda folder: [])["input"]["required"]
    thing, value = ({"required": {name: ["THING", {}]}} for name in ("thing", "value"))
    count = ["INT", {"default": 2, "min": 1, "max": 9, "step": 1}]
    assert declared == {
        "things": ["COMFY_AUTOGROW_V3", {"template": {"input": thing, "prefix": "thing", "min": 1, "max": 3}}],
        "named": ["COMFY_AUTOGROW_V3", {"template": {"input": value, "names": ["a", "b"], "min": 0}}],
        "how": [
            "COMFY_DYNAMICCOMBO_V3",
            {
                "options": [
                    {"key": "times", "inputs": {"required": {"count": count}}},
                    {"key": "like", "inputs": {"required": {"other": ["THING", {}]}}},
                ]
            },
        ],
    }


def test_a_group_of_lists_gets_all_items_of_each_member() -> None:
    @node("Lists", category="test", takes_lists=True)
    def lists(things: Annotated[Sequence[Sequence[THING]], Grows("thing")]) -> THING:
        return things

    found = spec_of(lists)
    assert found is not None
    assert found.function is not None
    assert found.function(**{"things.thing0": [1, 2], "things.thing1": [3]}) == ([1, 2], [3])


def test_groups_of_the_wrong_type_are_refused_with_the_remedy() -> None:
    def single(things: Annotated[THING, Grows("thing")]) -> THING: ...
    def unnamed(things: Annotated[Sequence[THING], Grows("thing", names=("a",))]) -> THING: ...
    def flat(things: Annotated[Sequence[THING], Grows("thing")]) -> THING: ...

    with pytest.raises(NodeDeclarationError, match=r"need the type Sequence"):
        node("Single", category="test")(single)
    with pytest.raises(NodeDeclarationError, match=r"need the type Mapping"):
        node("Unnamed", category="test")(unnamed)
    with pytest.raises(NodeDeclarationError, match=r"Sequence\[…\] for each input"):
        node("Flat", category="test", takes_lists=True)(flat)
