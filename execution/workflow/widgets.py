"""The values typed into a node's widgets, by input name, out of a list that is known by its order only."""

from collections.abc import Iterator, Mapping
from typing import Any

from execution.workflow.document import DrawnNode
from nodes.inputs import Dependent, Growing, unfolded
from nodes.spec import REQUIRED, Choice, FileChoice, InputSpec, NodeSpec, Number

CONTROLS = frozenset({"fixed", "increment", "decrement", "randomize", "increment-wrap"})
UPLOAD_BUTTON = "image"

TYPED_IN = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"})
"""Types whose inputs have widgets, even where a foreign node says nothing about them."""

ABSENT = object()
"""Stands for a value that the document does not hold and the node does not default."""


def takes_several(spec: InputSpec) -> bool:
    """Whether the input is a choice of any number of words."""
    return bool(spec.options.get("multiselect") or spec.options.get("multi_select"))


def has_widget(spec: InputSpec) -> bool:
    """Whether the input can be typed in."""
    if spec.options.get("forceInput") or isinstance(spec.widget, Growing):
        return False
    drawn = spec.options.get("widgetType") or spec.options.get("socketless")
    return bool(drawn) or spec.widget is not None or spec.type in TYPED_IN


def widget_inputs(spec: NodeSpec, values: Mapping[str, Any]) -> Iterator[InputSpec]:
    """The inputs with widgets in the order of their widgets: required ones first, what goes with a choice after it.

    Values may be added while the inputs are gone through.
    """
    for one in unfolded(sorted(spec.inputs, key=lambda one: one.optional), values):
        if has_widget(one):
            yield one


def widget_values(node: DrawnNode, spec: NodeSpec | None) -> dict[str, Any]:
    """The value of each widget. A node of unknown type tells its values only if they are stored by name."""
    if isinstance(node.values, Mapping):
        names = None if spec is None else {one.name for one in widget_inputs(spec, node.values)}
        stored = {name: value for name, value in node.values.items() if names is None or name in names}
        return stored | _defaults(spec, stored)
    if spec is None:
        return {}
    found: dict[str, Any] = {}
    waiting = list(reversed(node.values))
    for one in widget_inputs(spec, found):
        if not waiting:
            break
        found[one.name] = waiting.pop()
        _skip_companion(one, waiting)
    return found | _defaults(spec, found)


def _skip_companion(spec: InputSpec, waiting: list[Any]) -> None:
    """Pass over what the editor keeps beside a value: what happens to a seed after queueing, an upload button."""
    if waiting and _is_companion(spec, waiting[-1]):
        waiting.pop()


def _is_companion(spec: InputSpec, following: Any) -> bool:
    match spec.widget:
        case Number(control_after_generate=True | "fixed"):
            # Old files hold true for randomize and false for fixed.
            return isinstance(following, bool) or _is_control(following)
        case FileChoice(upload=True):
            return following == UPLOAD_BUTTON
        case _ if spec.options.get("control_after_generate"):
            return _is_control(following)
        case _:
            return bool(spec.options.get("image_upload")) and following == UPLOAD_BUTTON


def _is_control(value: Any) -> bool:
    return isinstance(value, str) and value in CONTROLS


def _defaults(spec: NodeSpec | None, found: Mapping[str, Any]) -> dict[str, Any]:
    """What widgets show that the document says nothing of; nothing for those that came to a node late."""
    if spec is None:
        return {}
    shown = dict(found)
    for one in widget_inputs(spec, shown):
        if one.name not in shown and not one.late and (default := _default(one)) is not ABSENT:
            shown[one.name] = default
    return {name: value for name, value in shown.items() if name not in found}


def _default(spec: InputSpec) -> Any:
    if spec.default != REQUIRED:
        return ABSENT if spec.default is None else spec.default
    match spec.widget:
        case Choice(options) | Dependent(options) if options:
            return next(iter(options))
        case _:
            return ABSENT
