"""Values set on the command line: which input of which node is meant, and what becomes of the text."""

from typing import Any

import pytest

from execution.headless.assign import Assignment, assigned
from execution.headless.errors import HeadlessError
from nodes.inputs import Dependent, Growing
from nodes.spec import Choice, InputSpec, NodeSpec, Number
from tests.execution import fake_nodes
from tests.execution.drawings import spec
from tests.execution.graphs import graph, shown

SIZES = Dependent({"by width": (InputSpec("width", "INT", Number(1, 99), 5),), "off": ()})
KINDS = spec(
    "Kinds",
    InputSpec("resize", "COMFY_DYNAMICCOMBO_V3", SIZES),
    InputSpec("texts", "COMFY_AUTOGROW_V3", Growing(InputSpec("text", "STRING"), ("text0", "text1"), "text")),
    InputSpec("any", "*"),
    InputSpec("sides", "COMBO", Choice((1, 2, True, "1.0"))),  # pyright: ignore[reportArgumentType]
    InputSpec("words", "COMBO", None, options={"multiselect": True}),
)
SPECS: dict[str, NodeSpec] = {**fake_nodes.load(), "Kinds": KINDS}


def titled(node: dict[str, Any], title: str) -> dict[str, Any]:
    return {**node, "_meta": {"title": title}}


def set_on(document: dict[str, Any], *assignments: str) -> dict[str, Any]:
    return assigned(document, [Assignment.parse(one) for one in assignments], SPECS)


@pytest.mark.parametrize(
    ("assignment", "name", "value"),
    [
        ("1.number=7", "number", 7),
        ("1.number= -7 ", "number", -7),
        ("1.number=18446744073709551615", "number", 2**64 - 1),
        ("1.real=0.25", "real", 0.25),
        ("1.real=1e-3", "real", 0.001),
        ("1.real=1", "real", 1.0),
        ("1.text=", "text", ""),
        ("1.text=a=b.c", "text", "a=b.c"),
        ('1.text="two\nlines" ☃ {a|b}', "text", '"two\nlines" ☃ {a|b}'),
        ("1.text=7", "text", "7"),
        ("1.flag=true", "flag", True),
        ("1.flag=False", "flag", False),
        ("1.mode=slow", "mode", "slow"),
        ("1.mode=of no such kind", "mode", "of no such kind"),
        ("1.file=b.safetensors", "file", "b.safetensors"),
        ("A v1.5.number=7", "number", 7),
    ],
)
def test_a_value_is_set_as_the_input_declares_it(assignment: str, name: str, value: Any) -> None:
    given = {"1": titled(graph(_1=("Widgets", {"number": 1}))["1"], "A v1.5")} | graph(_2=("Make", {}))
    found = set_on(given, assignment)["1"]["inputs"][name]
    assert (found, type(found)) == (value, type(value))
    assert given["1"]["inputs"] == {"number": 1}


@pytest.mark.parametrize(
    ("assignments", "inputs"),
    [
        (["12:3.resize.width=9"], {"resize": "by width", "resize.width": 9}),
        (["12:3.resize=off"], {"resize": "off"}),
        (["12:3.texts.text1=x"], {"resize": "by width", "texts.text1": "x"}),
        (["12:3.any=3"], {"resize": "by width", "any": "3"}),
        (["12:3.sides=2"], {"resize": "by width", "sides": 2}),
        (["12:3.sides=true"], {"resize": "by width", "sides": True}),
        (['12:3.words=["a", "b"]'], {"resize": "by width", "words": {"__value__": ["a", "b"]}}),
        (["12:3.any=1", "12:3.any=2"], {"resize": "by width", "any": "2"}),
    ],
)
def test_inputs_that_have_dots_in_their_names_or_take_many_kinds_of_values_are_set(
    assignments: list[str], inputs: dict[str, Any]
) -> None:
    given = {"12:3": {"class_type": "Kinds", "inputs": {"resize": "by width"}}}
    assert set_on(given, *assignments)["12:3"]["inputs"] == inputs


def test_what_belongs_to_a_choice_is_set_after_it() -> None:
    given = {"1": {"class_type": "Kinds", "inputs": {"resize": "off"}}}
    assert set_on(given, "1.resize=by width", "1.resize.width=3")["1"]["inputs"]["resize.width"] == 3
    with pytest.raises(HeadlessError, match=r"has no input 'resize\.width'"):
        set_on(given, "1.resize.width=3", "1.resize=by width")


def test_a_value_takes_the_place_of_a_link() -> None:
    given = graph(_1=("Make", {}), _2=("Widgets", {"number": ["1", 0]}))
    assert set_on(given, "2.number=4")["2"]["inputs"]["number"] == 4


def test_an_id_comes_before_a_title() -> None:
    given = graph(_1=("Make", {}), _2=("Make", {}))
    given["2"] = titled(given["2"], "1")
    assert set_on(given, "1.value=5")["1"]["inputs"] == {"value": 5}


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("9.value=1", "No node has the id or the title '9'. There are 1 (Make), 2 (Show)."),
        ("9.a.value=1", "the title '9.a' or '9'"),
        ("1.valu=1", "1 (Make) has no input 'valu'. Values can be given for value."),
        ("2.x=1", "takes only a link (THING)"),
        ("1.value=many", "1.value wants a whole number, not 'many'."),
        ("1.value=1.5", "1.value wants a whole number, not '1.5'."),
        ("1.value=", "1.value wants a whole number, not ''."),
        ("1.value=" + "9" * 5000, "9…."),
        ("Twin.value=1", "name the one you mean by its id"),
    ],
)
def test_what_cannot_be_set_is_told_with_what_can(assignment: str, message: str) -> None:
    given = shown(1)
    if assignment.startswith("Twin"):
        given = {node_id: titled(node, "Twin") for node_id, node in given.items()}
    with pytest.raises(HeadlessError) as error:
        set_on(given, assignment)
    assert message in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("assignment", "wanted"),
    [
        ("1.real=nan", "a number"),
        ("1.real=1,5", "a number"),
        ("1.flag=yes", "true or false"),
        ("2.words=a", "a list of words"),
        ("2.words={}", "a list of words"),
    ],
)
def test_a_text_that_is_no_value_is_told_with_what_is_wanted(assignment: str, wanted: str) -> None:
    given = graph(_1=("Widgets", {}), _2=("Kinds", {}))
    with pytest.raises(HeadlessError, match=f"wants {wanted}"):
        set_on(given, assignment)


def test_a_node_that_is_not_installed_takes_no_value() -> None:
    with pytest.raises(HeadlessError, match=r"1 \(Gone\) is of a type that is not installed"):
        set_on(graph(_1=("Gone", {})), "1.x=1")


@pytest.mark.parametrize("text", ["", "6", "6.text", "text=3", ".text=3", "6.=3", "=", ".=."])
def test_an_assignment_without_a_part_is_refused(text: str) -> None:
    with pytest.raises(HeadlessError, match=r"NODE\.INPUT=VALUE"):
        Assignment.parse(text)
