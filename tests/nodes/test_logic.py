"""Values shared between nodes, shown, converted and chosen."""

from typing import Any

import pytest

from execution.events import JobSucceeded, NodeFinished, NodeStarted
from nodes import logic, primitives
from nodes.spec import spec_of
from tests.execution.bench import Bench
from tests.execution.graphs import graph


@pytest.mark.parametrize(
    ("value", "numbers"),
    [(3, (3.0, 3)), (2.9, (2.9, 2)), (True, (1.0, 1)), (" 7 ", (7.0, 7)), ("-1.5", (-1.5, -1)),
     ("9007199254740993", (9007199254740992.0, 9007199254740993)), ("1e3", (1000.0, 1000))],
)  # fmt: skip
def test_numbers_are_read_from_what_there_is(value: Any, numbers: tuple[float, int]) -> None:
    assert logic.number_convert(value) == numbers


@pytest.mark.parametrize("value", ["", "three", "inf", "nan"])
def test_what_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="number"):
        logic.number_convert(value)


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (1.5, "1.5"), (True, "true"), ([1], "[\n    1\n]"), (1j, "1j")]
)
def test_any_value_is_shown_as_text(value: Any, text: str) -> None:
    shown = primitives.preview_any(value)
    assert (shown.result, shown.ui) == (text, {"text": [text]})


@pytest.mark.parametrize(("switch", "ran", "shown"), [(True, "on", "yes"), (False, "off", "no")])
def test_a_switch_evaluates_only_what_it_hands_on(switch: bool, ran: str, shown: str) -> None:
    functions = (logic.switch_node, primitives.primitive_string, primitives.preview_any)
    specs = {spec.id: spec for function in functions if (spec := spec_of(function)) is not None}
    board = Bench(specs)
    outcome = board.run(
        graph(
            on=("PrimitiveString", {"value": "yes"}), off=("PrimitiveString", {"value": "no"}),
            s=("ComfySwitchNode", {"switch": switch, "on_true": ["on", 0], "on_false": ["off", 0]}),
            out=("PreviewAny", {"source": ["s", 0]}),
        )
    )  # fmt: skip
    assert isinstance(outcome, JobSucceeded)
    assert {event.node_id for event in board.of(NodeStarted)} == {ran, "s", "out"}
    assert [event.ui["text"] for event in board.of(NodeFinished) if event.ui] == [[shown]]


@pytest.mark.parametrize(
    ("values", "all_hold", "one_holds"),
    [((1, "a", True), True, True), ((1, "", True), False, True), ((0, "", False), False, False)],
)
def test_values_are_taken_together(values: tuple[Any, ...], all_hold: bool, one_holds: bool) -> None:
    assert (logic.and_node(values), logic.or_node(values)) == (all_hold, one_holds)


def test_a_list_holds_values_and_the_items_of_lists() -> None:
    assert logic.create_list([["a"], ["b", "c"]]) == ["a", "b", "c"]
