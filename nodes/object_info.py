"""Describes nodes in the form in which ComfyUI's clients read them (/object_info)."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from nodes.inputs import Dependent, Growing
from nodes.spec import REQUIRED, Choice, FileChoice, InputSpec, NodeSpec, Number, Text

OWN = "nodes"
"""The module that nodes of the program's own are said to be of."""

Choices = Callable[[str], Sequence[str]]
"""The files there are in a folder, as FileChoice names it."""


def object_info(specs: Iterable[NodeSpec], choices: Choices) -> dict[str, dict[str, Any]]:
    """All entries by node id; each folder is listed once."""
    listed = cache(choices)
    return {spec.id: entry(spec, listed) for spec in specs}


def entry(spec: NodeSpec, choices: Choices) -> dict[str, Any]:
    """One node: groups of inputs with their order, the outputs as parallel lists, and what people read of it."""
    groups = _groups(spec, choices)
    return {
        "input": groups,
        "input_order": {group: list(inputs) for group, inputs in groups.items()},
        "output": [output.type for output in spec.outputs],
        "output_is_list": [output.is_list for output in spec.outputs],
        "output_name": [output.name for output in spec.outputs],
        "output_tooltips": [output.tooltip for output in spec.outputs],
        "name": spec.id,
        "display_name": spec.display_name,
        "description": spec.description,
        "category": spec.category,
        "output_node": spec.output_node,
        "is_input_list": spec.takes_lists,
        "has_intermediate_output": False,
        "python_module": spec.module,
        **({"deprecated": True} if spec.deprecated else {}),
        **({"experimental": True} if spec.experimental else {}),
        **({"search_aliases": list(spec.aliases)} if spec.aliases else {}),
    }


def _groups(spec: NodeSpec, choices: Choices) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {"required": {}}
    for one in spec.inputs:
        groups.setdefault("optional" if one.optional else "required", {})[one.name] = [
            _type(one, choices),
            _options(one, choices),
        ]
    if spec.hidden:
        groups["hidden"] = dict(spec.hidden)
    elif spec.module == OWN and spec.output_node and spec.context_parameter is not None:
        groups["hidden"] = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
    return groups


def _type(one: InputSpec, choices: Choices) -> str | list[str]:
    """The wire type; for a choice, the words to choose from stand in its place, unless they are among the options."""
    if "options" in one.options:
        return one.type
    match one.widget:
        case Choice(options):
            return list(options)
        case FileChoice(folder):
            return list(choices(folder))
        case _:
            return one.type


def _options(one: InputSpec, choices: Choices) -> dict[str, Any]:
    """What is said of the input beside its type; a foreign node says it in its own words."""
    if one.options:
        return dict(one.options)
    options: dict[str, Any] = {}
    if one.default != REQUIRED and not (one.optional and one.default is None):
        options["default"] = one.default
    options |= _widget_options(one) | _group_options(one, choices)
    if one.tooltip:
        options["tooltip"] = one.tooltip
    if one.advanced:
        options["advanced"] = True
    if one.lazy:
        options["lazy"] = True
    return options


def _widget_options(one: InputSpec) -> dict[str, Any]:
    match one.widget:
        case Number() as number:
            exact = int if one.type == "INT" else float
            options: dict[str, Any] = {
                "min": exact(number.min),
                "max": exact(number.max),
                "step": exact(number.step),
            }
            if number.round is not None:
                options["round"] = number.round
            if number.control_after_generate:
                options["control_after_generate"] = number.control_after_generate
            return options
        case Text(multiline=multiline, dynamic_prompts=dynamic):
            return ({"multiline": True} if multiline else {}) | ({"dynamicPrompts": True} if dynamic else {})
        case FileChoice(upload=True):
            return {"image_upload": True}
        case _:
            return {}


def _group_options(one: InputSpec, choices: Choices) -> dict[str, Any]:
    """What an input stands for: the form of each member and how many there may be, or the inputs behind each word."""
    match one.widget:
        case Growing(template, names, prefix, least):
            numbering = {"prefix": prefix, "max": len(names)} if prefix else {"names": list(names)}
            return {"template": {"input": _members([template], choices), **numbering, "min": least}}
        case Dependent(options):
            words = options.items()
            return {"options": [{"key": word, "inputs": _members(inputs, choices)} for word, inputs in words]}
        case _:
            return {}


def _members(inputs: Iterable[InputSpec], choices: Choices) -> dict[str, dict[str, Any]]:
    """Inputs inside of others, whose choices have their words among the options always."""
    groups: dict[str, dict[str, Any]] = {"required": {}}
    for one in inputs:
        type, options = _type(one, choices), _options(one, choices)
        if isinstance(type, list):
            type, options = one.type, {**options, "multiselect": False, "options": type}
        groups.setdefault("optional" if one.optional else "required", {})[one.name] = [type, options]
    return groups
