"""How the text of a prompt becomes weighted spans."""

import pytest

from models.text.prompt import MAX_NESTING, PromptError, Span, weighted_spans

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


EMBEDDINGS = ["embedding:easy", "a cat, embedding:easy, x", "(embedding:easy:1.2)", "a\nembedding:x"]


@pytest.mark.parametrize("prompt", EMBEDDINGS)
def test_an_embedding_is_refused_rather_than_read_as_words(prompt: str) -> None:
    with pytest.raises(PromptError, match="embedding:"):
        weighted_spans(prompt)


@pytest.mark.parametrize("prompt", ["my_embedding:x", "an embedding: a vector"])
def test_the_word_embedding_alone_is_text(prompt: str) -> None:
    assert weighted_spans(prompt) == [Span(prompt, 1)]
