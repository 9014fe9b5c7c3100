"""Reads what a foreign node declares of its inputs and outputs, in all the ways in which packs spell it."""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nodes.inputs import DEPENDENT, GROWING, Dependent, Growing
from nodes.spec import REQUIRED, Choice, InputSpec, Number, OutputSpec, Text, Widget

ANY = "*"
MATCHING = "COMFY_MATCHTYPE_V3"
"""A type that stands for one of several, the same at all inputs and outputs of one template."""

KINDS_OF_HIDDEN = frozenset(
    {"PROMPT", "DYNPROMPT", "EXTRA_PNGINFO", "UNIQUE_ID", "AUTH_TOKEN_COMFY_ORG", "API_KEY_COMFY_ORG"}
)
MOST_MEMBERS = 100
"""More inputs than this no group grows to."""

SEEDS = frozenset({"seed", "noise_seed"})
"""Whole numbers of these names may change after queueing, unless their declaration says something else."""

_PROBE = "a type that no node has"


class ForeignDeclarationError(TypeError):
    """A foreign node whose declaration cannot be read."""


@dataclass(frozen=True)
class Inputs:
    """The declared inputs in their order, the hidden ones by kind, and one like which the node takes any others."""

    inputs: tuple[InputSpec, ...]
    hidden: Mapping[str, str]
    other: InputSpec | None = None


def inputs_of(node: Any) -> Inputs:
    """What INPUT_TYPES of a node class says now; it is asked anew because it may list files."""
    declared = node.INPUT_TYPES() if hasattr(node, "INPUT_TYPES") else {}
    if not isinstance(declared, Mapping):
        raise ForeignDeclarationError(f"INPUT_TYPES returned a {type(declared).__name__}, not a dictionary")
    return Inputs(_grouped(declared), _hidden(declared.get("hidden")), _other(declared.get("optional")))


def _grouped(declared: Mapping[str, Any]) -> tuple[InputSpec, ...]:
    """The required inputs, then the optional ones; of two of one name, the optional one."""
    found = {
        name: _input(str(name), spelled, group == "optional")
        for group in ("required", "optional")
        for name, spelled in (declared.get(group) or {}).items()
    }
    return tuple(found.values())


def _hidden(declared: Any) -> dict[str, str]:
    """The hidden inputs that the engine can fill, by name."""
    kinds: dict[str, str] = {}
    for name, spelled in (declared or {}).items():
        kind = spelled[0] if isinstance(spelled, list | tuple) and spelled else spelled
        kind = getattr(kind, "value", kind)
        if isinstance(kind, str) and kind in KINDS_OF_HIDDEN:
            kinds[str(name)] = kind
    return kinds


def _other(optional: Any) -> InputSpec | None:
    """What a dictionary of a pack's own making holds under every name, as it claims."""
    if not isinstance(optional, Mapping) or type(optional) is dict or _PROBE not in optional:
        return None
    try:
        spelled = optional[_PROBE]
    except LookupError:
        spelled = ANY  # it takes any name, and does not say how
    return _input(_PROBE, spelled, True)


def _input(name: str, spelled: Any, optional: bool) -> InputSpec:
    if not isinstance(spelled, list | tuple):
        spelled = (spelled,)
    if not spelled:
        raise ForeignDeclarationError(f"input {name!r} is an empty {type(spelled).__name__}: it needs a type")
    kind = spelled[0]
    given = spelled[1] if len(spelled) > 1 and isinstance(spelled[1], Mapping) else {}
    options = {str(key): plain(value) for key, value in given.items()}
    if _is_multiple(options) and isinstance(kind, list | tuple):
        options["options"] = plain(kind)
    type_name, widget = _typed(name, kind, options)
    return InputSpec(
        name,
        type_name,
        widget,
        options.get("default", REQUIRED),
        optional,
        tooltip=str(options.get("tooltip") or ""),
        advanced=bool(options.get("advanced")),
        lazy=bool(options.get("lazy")),
        options=options or ({"control_after_generate": True} if _changes_after_queueing(widget) else {}),
    )


def _changes_after_queueing(widget: Widget) -> bool:
    """Whether an input is a number that may change after queueing."""
    return isinstance(widget, Number) and bool(widget.control_after_generate)


def _typed(name: str, kind: Any, options: Mapping[str, Any]) -> tuple[str, Widget]:
    """The wire type and the widget."""
    if isinstance(kind, list | tuple | dict | set | frozenset):
        return "COMBO", _choice(kind, options)
    wire = wire_type(kind)
    match wire:
        case "INT" | "FLOAT":
            return wire, _number(name, wire, options)
        case "STRING":
            return wire, Text(bool(options.get("multiline")), bool(options.get("dynamicPrompts")))
        case "COMBO":
            is_listed = isinstance(options.get("options"), list) and not options.get("remote")
            return wire, _choice(options["options"], options) if is_listed else None
        case "":
            raise ForeignDeclarationError(f"input {name!r} has an empty type")
        case _ if wire == GROWING:
            return wire, _growing(name, _mapping(name, "template", options))
        case _ if wire == DEPENDENT:
            return wire, _dependent(name, options.get("options"))
        case _ if options.get("widgetType"):
            drawn = {name: value for name, value in options.items() if name != "widgetType"}
            return wire, _typed(name, options["widgetType"], drawn)[1]
        case _ if wire == MATCHING:
            return str(_mapping(name, "template", options).get("allowed_types") or ANY), None
        case _:
            return wire, None


def _growing(name: str, template: Mapping[str, Any]) -> Growing:
    """The group that a template declares, which numbers its members or names them."""
    declared = _grouped(_mapping(name, "input", template))
    if len(declared) != 1:
        raise ForeignDeclarationError(f"input {name!r} grows by {len(declared)} inputs: its template needs one")
    if isinstance(declared[0].widget, Growing | Dependent):
        raise ForeignDeclarationError(f"input {name!r} grows by {declared[0].name!r}, which stands for several itself")
    least = template.get("min", 1)
    if isinstance(listed := template.get("names"), list):
        names, prefix = tuple(map(str, listed)), ""
    else:
        prefix = str(template.get("prefix", ""))
        most = template.get("max", 10)
        names = tuple(f"{prefix}{number}" for number in range(most if isinstance(most, int) else 0))
    if not 0 < len(names) <= MOST_MEMBERS or not isinstance(least, int) or least > len(names):
        raise ForeignDeclarationError(
            f"input {name!r} grows from {least} to {len(names)}: it may have 1 to {MOST_MEMBERS} members"
        )
    return Growing(declared[0], names, prefix, least)


def _dependent(name: str, options: Any) -> Dependent:
    """The choice whose words bring inputs of their own."""
    if not isinstance(options, list) or not options or not all(isinstance(one, Mapping) for one in options):
        raise ForeignDeclarationError(f"input {name!r} is a choice without options: it needs a list of them")
    return Dependent({str(one.get("key")): _grouped(_mapping(name, "inputs", one)) for one in options})


def _mapping(name: str, key: str, within: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(found := within.get(key), Mapping):
        raise ForeignDeclarationError(f"input {name!r} has a {type(found).__name__} as {key!r}, not a dictionary")
    return found


def _choice(words: Iterable[Any], options: Mapping[str, Any]) -> Choice | None:
    """A choice of one word; None where several may be chosen."""
    return None if _is_multiple(options) else Choice(tuple(plain(word) for word in words))


def _is_multiple(options: Mapping[str, Any]) -> bool:
    return bool(options.get("multiselect") or options.get("multi_select"))


def _number(name: str, wire: str, options: Mapping[str, Any]) -> Number | None:
    limits = [options.get(key) for key in ("min", "max", "step", "round")]
    least, most, step, rounding = [value if _is_number(value) else None for value in limits]
    control = wire == "INT" and bool(options.get("control_after_generate", name in SEEDS))
    if least is None and most is None and not control:
        return None
    return Number(
        -sys.float_info.max if least is None else least,
        sys.float_info.max if most is None else most,
        step=step or (1 if wire == "INT" else 0.01),
        round=rounding,
        control_after_generate=control,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def wire_type(kind: Any) -> str:
    """A type as it is written on the wire: `*` for classes of text that equal every other, as packs write "any"."""
    if isinstance(kind, list | tuple):
        return "COMBO"
    kind = getattr(kind, "value", kind)
    if not isinstance(kind, str):
        raise ForeignDeclarationError(f"{kind!r} is no type: a type is a text, or a list of choices")
    differs = kind != _PROBE  # not `==`: it is this operator that packs overwrite
    return str.__str__(kind) if differs else ANY


def outputs_of(node: Any) -> tuple[OutputSpec, ...]:
    """The declared outputs of a node class, in their order."""
    types = _types(node)
    names = _sequence(getattr(node, "RETURN_NAMES", None))
    lists = _sequence(getattr(node, "OUTPUT_IS_LIST", None))
    tooltips = _sequence(getattr(node, "OUTPUT_TOOLTIPS", None))
    found = []
    for index, kind in enumerate(tuple(types)):
        told, wire = wire_type(kind), wire_type(types[index])
        wire = ANY if wire == MATCHING else wire
        name = str(names[index]) if index < len(names) and names[index] is not None else told.replace(MATCHING, ANY)
        tooltip = str(tooltips[index] or "") if index < len(tooltips) else ""
        found.append(OutputSpec(name, wire, tooltip, index < len(lists) and bool(lists[index])))
    return tuple(found)


def open_outputs_of(node: Any) -> str | None:
    """The type of outputs beyond the declared ones; None where there are none. A tuple of a pack's own making may
    answer for any number, with several types in turn."""
    types = _types(node)
    first = len(tuple(types))
    try:
        found = dict.fromkeys(wire_type(types[number]) for number in range(first, first + MOST_MEMBERS))
    except LookupError:
        return None
    return ANY if ANY in found else ",".join(found)


def _types(node: Any) -> Sequence[Any]:
    """The declared types of outputs, in the tuple that holds them."""
    types = getattr(node, "RETURN_TYPES", ())
    return types if isinstance(types, tuple) else _sequence(types)


def _sequence(value: Any) -> Sequence[Any]:
    """A declared sequence; a single text stands for itself, because ("IMAGE") is no tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def plain(value: Any) -> Any:
    """The value as JSON can carry it and any process can read it; what JSON has no form for becomes text."""
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value) if math.isfinite(value) else math.copysign(sys.float_info.max, value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=str)
        case _:
            return plain(value.value) if hasattr(value, "value") else str(value)
