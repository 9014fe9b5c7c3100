"""How the text of a prompt becomes weighted spans."""

import pytest

from models.text.prompt import (
    MAX_NESTING,
    Piece,
    PromptError,
    Span,
    embeddings_named,
    pieces_of,
    weighted_spans,
)

CASES = {
    "": [],
    "a cat": [("a cat", 1)],
    "a (red) cat": [("a ", 1), ("red", 1.1), (" cat", 1)],
    "((red))": [("red", 1.1 * 1.1)],
    "(red:1.3), x": [("red", 1.3), (", x", 1)],
    "(a: 0.5 )": [("a", 0.5)],
    "(a:-1)": [("a", -1)],
    "(a:1e-1)": [("a", 0.1)],
    "(a:1.5:2)": [("a:1.5", 2)],
    "a:1.5": [("a:1.5", 1)],
    # a number is absolute, whatever surrounds it
    "((a:1.5) b)": [("a", 1.5), (" b", 1.1)],
    "(blue (eyes:1.2) and fur:0.7)": [("blue ", 0.7), ("eyes", 1.2), (" and fur", 0.7)],
    "((a):0.5)": [("a", 0.5 * 1.1)],
    # what is no number, or stands at the start, is text
    "(a:x)": [("a:x", 1.1)],
    "(:2)": [(":2", 1.1)],
    "(to infinity:inf)": [("to infinity:inf", 1.1)],
    "(my: nan)": [("my: nan", 1.1)],
    # escapes
    r"\(a:2\)": [("(a:2)", 1)],
    r"(a\):1.5)": [("a)", 1.5)],
    r"cat \(small\), (\(x\))": [("cat (small), ", 1), ("(x)", 1.1)],
    "back\\slash": [("back\\slash", 1)],
    # parentheses that do not pair
    "()": [],
    "(": [("(", 1)],
    "b (a": [("b ", 1), ("(a", 1)],
    "((a)": [("(a", 1.1)],
    "a) (b)": [("a) (b)", 1)],
    "a) (b (c) d": [("a) (b ", 1), ("c", 1.1), (" d", 1)],
    # no other syntax means anything
    "[a] {b|c} [a:b:0.5] BREAK x AND y": [("[a] {b|c} [a:b:0.5] BREAK x AND y", 1)],
    "two\nlines (and\nmore)": [("two\nlines ", 1), ("and\nmore", 1.1)],
}


@pytest.mark.parametrize(("prompt", "spans"), CASES.items(), ids=CASES)
def test_weights_are_read_as_comfyui_reads_them(prompt: str, spans: list[tuple[str, float]]) -> None:
    assert [(span.text, pytest.approx(span.weight)) for span in weighted_spans(prompt)] == spans


def test_deep_nesting_is_read_up_to_a_limit_and_then_refused() -> None:
    assert weighted_spans("(" * MAX_NESTING + "a" + ")" * MAX_NESTING) == [Span("a", pytest.approx(1.1**MAX_NESTING))]
    with pytest.raises(PromptError, match="more than 100 deep"):
        weighted_spans("(" * 5000 + "a" + ")" * 5000)


def test_parentheses_never_closed_are_no_nesting() -> None:
    assert weighted_spans("(" * 5000 + "a") == [Span("(" * 5000 + "a", 1)]


EMBEDDINGS: dict[str, list[tuple[str | None, str]]] = {
    "embedding:easy": [("easy", "")],
    "embedding:easy, x": [("easy,", " x")],
    "a cat, embedding:easy x": [(None, "a cat,"), ("easy", " x")],
    "a\nembedding:x embedding:y": [(None, "a"), ("x", ""), ("y", "")],
    "embedding:sub/name.pt<lora>": [("sub/name.pt", "<lora>")],
    "embedding:x[1]": [("x", "[1]")],
    "my_embedding:x": [(None, "my_embedding:x")],
    "an embedding: a vector": [(None, "an embedding: a vector")],
    "": [],
}


@pytest.mark.parametrize(("text", "pieces"), EMBEDDINGS.items(), ids=EMBEDDINGS)
def test_embeddings_are_named_at_the_start_or_behind_white_space(
    text: str, pieces: list[tuple[str | None, str]]
) -> None:
    assert pieces_of(text) == [Piece(*piece) for piece in pieces]


def test_the_embeddings_of_a_prompt_are_named_with_and_without_a_comma_behind() -> None:
    assert embeddings_named("a (embedding:x,:1.2) embedding:y") == {"x", "x,", "y"}
