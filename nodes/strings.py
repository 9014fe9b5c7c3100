"""Putting texts together, taking them apart, and searching them."""

import re
from collections.abc import Iterator, Mapping
from string import Formatter, ascii_lowercase
from typing import Annotated, Any, Literal

from nodes.primitives import ANY
from nodes.spec import Grows, Help, Number, Text, node

Multiline = Annotated[str, Text(multiline=True)]
Position = Annotated[int, Number(-(2**63), 2**63 - 1)]
WIDEST = 1000
"""Characters that a value may be made wide."""
Option = Annotated[bool, Help(advanced=True)]


class BadPatternError(ValueError):
    """A regular expression that cannot be read."""


@node("StringConcatenate", name="Concatenate Text", category="text")
def string_concatenate(string_a: Multiline, string_b: Multiline, delimiter: str = "") -> str:
    """Joins two texts with another between them."""
    return delimiter.join((string_a, string_b))


class BadFormatError(ValueError):
    """A text with fields that cannot be filled in."""


@node("StringFormat", name="Format Text", category="text")
def string_format(
    values: Annotated[Mapping[str, ANY], Grows("value", min=0, names=tuple(ascii_lowercase))],
    f_string: Multiline = "{a}",
) -> str:
    """Fills values into a text: {a} stands for the first, {b:.2f} for the second with two decimals, {{ for a brace."""
    try:
        return "".join(_filled(f_string, values))
    except (ValueError, TypeError) as error:
        raise BadFormatError(f"The text {f_string!r} cannot be filled in: {error}.") from error


def _filled(text: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The parts of a text in a row. Only the values themselves can be named, none of their attributes."""
    for literal, name, form, conversion in Formatter().parse(text):
        yield literal
        if name is None:
            continue
        if name not in values:
            given = ", ".join(values) or "nothing"
            raise ValueError(f"it names {{{name}}}, but {given} is connected")
        if any(int(digits) > WIDEST for digits in re.findall(r"\d+", form or "")):
            raise ValueError(f"{{{name}:{form}}} is wider than {WIDEST} characters")
        yield format(Formatter().convert_field(values[name], conversion), form or "")


@node("StringSubstring", name="Substring", category="text")
def string_substring(string: Multiline, start: Position, end: Position) -> str:
    """The characters from one position to before another; negative ones count from the end."""
    return string[start:end]


@node("StringLength", name="Text Length", category="text", outputs=("length",))
def string_length(string: Multiline) -> Annotated[int, Number(0, 2**63 - 1)]:
    """How many characters a text has."""
    return len(string)


@node("CaseConverter", name="Convert Text Case", category="text")
def case_converter(string: Multiline, mode: Literal["UPPERCASE", "lowercase", "Capitalize", "Title Case"]) -> str:
    """Writes a text in large or small letters."""
    match mode:
        case "UPPERCASE":
            return string.upper()
        case "lowercase":
            return string.lower()
        case "Capitalize":
            return string.capitalize()
        case "Title Case":
            return string.title()


@node("StringTrim", name="Trim Text", category="text")
def string_trim(string: Multiline, mode: Literal["Both", "Left", "Right"]) -> str:
    """Takes white space off the ends of a text."""
    match mode:
        case "Both":
            return string.strip()
        case "Left":
            return string.lstrip()
        case "Right":
            return string.rstrip()


@node("StringReplace", name="Replace Text", category="text")
def string_replace(string: Multiline, find: Multiline, replace: Multiline) -> str:
    """Replaces one text by another wherever it occurs."""
    return string.replace(find, replace)


@node("StringContains", name="Contains Text", category="text", outputs=("contains",))
def string_contains(string: Multiline, substring: Multiline, case_sensitive: Option = True) -> bool:
    """Whether a text occurs in another."""
    return _cased(substring, case_sensitive) in _cased(string, case_sensitive)


@node("StringCompare", name="Compare Text", category="text")
def string_compare(
    string_a: Multiline,
    string_b: Multiline,
    mode: Literal["Starts With", "Ends With", "Equal"],
    case_sensitive: Option = True,
) -> bool:
    """Whether the first text begins or ends with the second, or is the same."""
    first, second = _cased(string_a, case_sensitive), _cased(string_b, case_sensitive)
    match mode:
        case "Starts With":
            return first.startswith(second)
        case "Ends With":
            return first.endswith(second)
        case "Equal":
            return first == second


def _cased(text: str, case_sensitive: bool) -> str:
    return text if case_sensitive else text.lower()


@node("RegexMatch", name="Match Text", category="text", outputs=("matches",))
def regex_match(
    string: Multiline,
    regex_pattern: Multiline,
    case_insensitive: Option = True,
    multiline: Option = False,
    dotall: Option = False,
) -> bool:
    """Whether a regular expression matches anywhere in a text."""
    return _pattern(regex_pattern, case_insensitive, multiline, dotall).search(string) is not None


@node("RegexExtract", name="Extract Text", category="text")
def regex_extract(
    string: Multiline,
    regex_pattern: Multiline,
    mode: Literal["First Match", "All Matches", "First Group", "All Groups"],
    case_insensitive: Option = True,
    multiline: Option = False,
    dotall: Option = False,
    group_index: Annotated[int, Number(0, 100), Help("Which group, counted from 1; 0 is all", advanced=True)] = 1,
) -> str:
    """The parts of a text that a regular expression matches, one a line; empty where there is none."""
    pattern = _pattern(regex_pattern, case_insensitive, multiline, dotall)
    matches = list(pattern.finditer(string))
    if mode in ("First Match", "First Group"):
        matches = matches[:1]
    if mode == "First Match":
        return "".join(match.group() for match in matches)
    if mode == "All Matches":
        # With groups in the expression, a match is told by its first one.
        return "\n".join(match.group(min(pattern.groups, 1)) or "" for match in matches)
    if group_index > pattern.groups:
        return ""
    return "\n".join(match.group(group_index) or "" for match in matches)


@node("RegexReplace", name="Replace Text (Regex)", category="text")
def regex_replace(
    string: Multiline,
    regex_pattern: Multiline,
    replace: Multiline,
    case_insensitive: Option | None = True,
    multiline: Option | None = False,
    dotall: Option | None = False,
    count: Annotated[int, Number(0, 100), Help("How often at most; 0: always", advanced=True)] | None = 0,
) -> str:
    r"""Replaces what a regular expression matches; \1 stands for what its first group matches."""
    pattern = _pattern(regex_pattern, bool(case_insensitive), bool(multiline), bool(dotall))
    try:
        return pattern.sub(replace, string, count=count or 0)
    except (re.error, IndexError) as error:
        raise BadPatternError(f"The replacement {replace!r} cannot be used: {error}.") from error


def _pattern(text: str, case_insensitive: bool, multiline: bool, dotall: bool) -> re.Pattern[str]:
    """The regular expression with its flags. Raises BadPatternError."""
    flags = re.NOFLAG
    for is_on, flag in ((case_insensitive, re.IGNORECASE), (multiline, re.MULTILINE), (dotall, re.DOTALL)):
        flags |= flag if is_on else re.NOFLAG
    try:
        return re.compile(text, flags)
    except re.error as error:
        raise BadPatternError(f"The regular expression {text!r} cannot be read: {error}.") from error
