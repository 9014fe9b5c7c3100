"""Texts that mean something else when they are queued: dynamic prompts, and placeholders in file names."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

Choose = Callable[[Sequence[str]], str]

COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
PLACEHOLDER = re.compile(r"%([^%\n]+)%")
DATE_PARTS = re.compile(r"yyyy|yy|MM?|dd?|hh?|mm?|ss?")
UNSAFE = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')


def resolve_dynamic(text: str, choose: Choose) -> str:
    r"""Take comments out, and one alternative of each {a|b}; \{, \} and \| stand for themselves."""
    text = COMMENTS.sub("", text)
    levels: list[list[str]] = [[""]]
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "\\" and text[position : position + 1] in ("{", "}", "|"):
            levels[-1][-1] += text[position]
            position += 1
        elif character == "{":
            levels.append([""])
        elif character == "|" and len(levels) > 1:
            levels[-1].append("")
        elif character == "}" and len(levels) > 1:
            alternatives = levels.pop()
            levels[-1][-1] += choose(alternatives)
        else:
            levels[-1][-1] += character
    # A brace that is never closed was no choice.
    while len(levels) > 1:
        alternatives = levels.pop()
        levels[-1][-1] += "{" + "|".join(alternatives)
    return levels[0][0]


def fill_placeholders(text: str, value_of: Callable[[str, str], str | None], moment: datetime) -> str:
    """Replace %date:yyyy-MM-dd% and %Node.widget% in the prefix of a file name; others are the node's own affair."""

    def replacement(match: re.Match[str]) -> str:
        inside = match[1]
        if inside.startswith("date:"):
            return format_date(inside.removeprefix("date:"), moment)
        node, dot, widget = inside.partition(".")
        value = value_of(node, widget) if dot else None
        return match[0] if value is None else UNSAFE.sub("_", value)

    return PLACEHOLDER.sub(replacement, text)


def format_date(pattern: str, moment: datetime) -> str:
    """The moment in the form of yyyy, yy, MM, dd, hh (of 24), mm, ss; single letters without a leading zero."""
    numbers = {"M": moment.month, "d": moment.day, "h": moment.hour, "m": moment.minute, "s": moment.second}

    def part(match: re.Match[str]) -> str:
        letters = match[0]
        if letters[0] == "y":
            return f"{moment.year:04d}"[-len(letters) :]
        return f"{numbers[letters[0]]:0{len(letters)}d}"

    return DATE_PARTS.sub(part, pattern)
