"""What foreign functions return, read as what functions of ours return."""

import pytest
import torch

from nodes.spec import Blocker, Expansion, OutputSpec, Shown
from nodes.v1.answers import ForeignAnswerError, read_answer

ONE = (OutputSpec("text", "STRING"),)
TWO = (*ONE, OutputSpec("list", "INT", is_list=True))


def test_outputs_come_as_our_nodes_return_them():
    assert read_answer("N", (), None) is None
    assert read_answer("N", (), {"ui": {}}) is None
    assert read_answer("N", ONE, ("a",)) == "a"
    assert read_answer("N", ONE, ["a"]) == "a"
    assert read_answer("N", TWO, ("a", (1, 2), "too many")) == ("a", [1, 2])


def test_what_is_shown_becomes_plain_lists():
    shown = read_answer("N", ONE, {"ui": {"text": "one", "value": (torch.float32,)}, "result": ("a",)})
    assert shown == Shown("a", {"text": ["one"], "value": ["torch.float32"]})


def test_an_expansion_keeps_its_links():
    graph = {"x": {"class_type": "A", "inputs": {}}}
    assert read_answer("N", ONE, {"result": (["x", 0],), "expand": graph}) == Expansion((["x", 0],), graph)


def test_a_blocker_alone_stands_for_every_output():
    assert read_answer("N", TWO, Blocker("no")) == (Blocker("no"), Blocker("no"))
    assert read_answer("N", TWO, ("a", Blocker(None))) == ("a", Blocker(None))


def test_only_readers_of_an_output_that_is_missing_are_kept_from_running():
    first, second = read_answer("N", TWO, ("a",))
    assert first == "a"
    assert "N returned 1 of its 2 outputs, and 'list' is missing" in second.message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (torch.zeros(1, 2), r"returned a tensor \(1, 2\) where the protocol asks for a tuple"),
        ("text", "returned a str where"),
        ({"results": ("a",)}, "unknown key 'results'"),
        (("a", 3), "returned a int as 'list', which it declares to be a list"),
        ({"ui": [], "result": ("a", [])}, None),
        ({"ui": [1], "result": ("a", [])}, '"ui" is a list'),
    ],
)
def test_what_the_declaration_does_not_allow_is_refused(answer, told):
    if told is None:
        assert read_answer("N", TWO, answer) == ("a", [])
        return
    with pytest.raises(ForeignAnswerError, match=told):
        read_answer("N", TWO, answer)
