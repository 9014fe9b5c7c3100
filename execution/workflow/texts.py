"""Texts that mean something else when they are queued: dynamic prompts, and placeholders in file names."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

Choose = Callable[[Sequence[str]], str]

COMMENT, LINE_COMMENT = re.compile(r"/\*|//"), re.compile("//")
TOKENS = re.compile(r"\\[{}|]|[{}|]|[^\\{}|]+|\\")
ESCAPED = frozenset({r"\{", r"\}", r"\|"})
PLACEHOLDER = re.compile(r"%([^%\n]+)%")
DATE_PARTS = re.compile(r"yyyy|yy|MM?|dd?|hh?|mm?|ss?")
UNSAFE = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')


def resolve_dynamic(text: str, choose: Choose) -> str:
    r"""Take comments out, and one alternative of each {a|b}; \{, \} and \| stand for themselves."""
    # Of each brace that is open its alternatives, and of each of these its parts.
    levels: list[list[list[str]]] = [[[]]]
    for token in TOKENS.findall(without_comments(text)):
        alternatives = levels[-1]
        if token == "{":
            levels.append([[]])
        elif token == "|" and len(levels) > 1:
            alternatives.append([])
        elif token == "}" and len(levels) > 1:
            levels.pop()
            levels[-1][-1].append(choose(_texts(alternatives)))
        else:
            alternatives[-1].append(token[1:] if token in ESCAPED else token)
    # A brace that is never closed was no choice.
    return "{".join("|".join(_texts(alternatives)) for alternatives in levels)


def without_comments(text: str) -> str:
    """The text without what is between /* and */, or between // and the end of a line."""
    kept: list[str] = []
    position, begin = 0, COMMENT
    while found := begin.search(text, position):
        is_line = found[0] == "//"
        end = text.find("\n" if is_line else "*/", found.end())
        if end < 0 and not is_line:
            # It is no comment, and nor is any after it that begins so.
            begin = LINE_COMMENT
            continue
        kept.append(text[position : found.start()])
        position = len(text) if end < 0 else end if is_line else end + 2
    return "".join(kept) + text[position:]


def _texts(alternatives: list[list[str]]) -> list[str]:
    return ["".join(parts) for parts in alternatives]


def fill_placeholders(text: str, value_of: Callable[[str, str], Any], moment: datetime) -> str:
    """Replace %date:yyyy-MM-dd% and %Node.widget% in the prefix of a file name; others are the node's own affair."""

    def replacement(match: re.Match[str]) -> str:
        inside = match[1]
        if inside.startswith("date:"):
            return format_date(inside.removeprefix("date:"), moment)
        node, dot, widget = inside.partition(".")
        value = value_of(node, widget) if dot else None
        return match[0] if value is None else UNSAFE.sub("_", str(value))

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
