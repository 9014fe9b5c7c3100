"""Texts put together, taken apart and searched."""

from typing import Any

import pytest

from nodes import strings


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (strings.string_concatenate("a", "b", ", "), "a, b"),
        (strings.string_substring("abcdef", 1, -1), "bcde"),
        (strings.string_length("äöü"), 3),
        (strings.case_converter("a Cat", "UPPERCASE"), "A CAT"),
        (strings.case_converter("a Cat", "lowercase"), "a cat"),
        (strings.case_converter("a Cat", "Capitalize"), "A cat"),
        (strings.case_converter("a Cat", "Title Case"), "A Cat"),
        (strings.string_trim(" a ", "Both"), "a"),
        (strings.string_trim(" a ", "Left"), "a "),
        (strings.string_trim(" a ", "Right"), " a"),
        (strings.string_replace("a cat, a dog", "a ", "one "), "one cat, one dog"),
        (strings.string_contains("A Cat", "cat"), False),
        (strings.string_contains("A Cat", "cat", case_sensitive=False), True),
        (strings.string_compare("Cats", "Cat", "Starts With"), True),
        (strings.string_compare("Cats", "S", "Ends With"), False),
        (strings.string_compare("Cats", "S", "Ends With", case_sensitive=False), True),
        (strings.string_compare("Cat", "cat", "Equal"), False),
        (strings.regex_match("a cat", "^CAT"), False),
        (strings.regex_match("a\ncat", "^CAT", multiline=True), True),
        (strings.regex_match("a cat", "CAT", case_insensitive=False), False),
        (strings.regex_match("a\ncat", "a.cat"), False),
        (strings.regex_match("a\ncat", "a.cat", dotall=True), True),
        (strings.regex_extract("k1=v1 k2=v2", r"(k\d)=(v\d)", "First Match"), "k1=v1"),
        (strings.regex_extract("k1=v1 k2=v2", r"(k\d)=(v\d)", "All Matches"), "k1\nk2"),
        (strings.regex_extract("k1=v1 k2=v2", r"k\d=v\d", "All Matches"), "k1=v1\nk2=v2"),
        (strings.regex_extract("k1=v1 k2=v2", r"(k\d)=(v\d)", "First Group", group_index=2), "v1"),
        (strings.regex_extract("k1=v1 k2=v2", r"(k\d)=(v\d)", "All Groups", group_index=2), "v1\nv2"),
        (strings.regex_extract("k1=v1", r"(k\d)=(v\d)", "First Group", group_index=3), ""),
        (strings.regex_extract("nothing", r"\d", "First Match"), ""),
        (strings.regex_replace("a cat, a CAT", "cat", "dog"), "a dog, a dog"),
        (strings.regex_replace("a cat, a CAT", "cat", "dog", count=1), "a dog, a CAT"),
        (strings.regex_replace("a cat", r"(\w) (\w+)", r"\2 \1"), "cat a"),
    ],
)
def test_what_text_nodes_give(result: Any, expected: Any) -> None:
    assert result == expected


@pytest.mark.parametrize(("pattern", "replacement"), [("(", "x"), ("a", r"\9")])
def test_an_expression_that_cannot_be_read_is_named(pattern: str, replacement: str) -> None:
    with pytest.raises(strings.BadPatternError, match="cannot be"):
        strings.regex_replace("a", pattern, replacement)


@pytest.mark.parametrize(
    ("text", "filled"), [("{a}", "x"), ("{b:.2f}|{a!r}", "2.50|'x'"), ("{{{b}}}", "{2.5}"), ("none", "none")]
)
def test_values_are_filled_into_a_text(text: str, filled: str) -> None:
    assert strings.string_format({"a": "x", "b": 2.5}, text) == filled


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{c}", r"it names \{c\}, but a, b is connected"),
        ("{a.__class__}", r"it names \{a.__class__\}"),
        ("{a[0]}", r"it names"),
        ("{}", r"it names \{\}"),
        ("{a:99999999999}", "is wider than 1000 characters"),
        ("{a:.2f}", "cannot be filled in"),
        ("{a", "cannot be filled in"),
    ],
)
def test_a_text_that_cannot_be_filled_in_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(strings.BadFormatError, match=reason):
        strings.string_format({"a": "x", "b": 2.5}, text)
