"""What typed texts stand for once a graph is queued: one alternative of a dynamic prompt, dates in names of files, …"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from execution.graph import GraphLimits
from execution.workflow.texts import Choose, fill_placeholders, resolve_dynamic
from nodes.inputs import given
from nodes.spec import Choice, InputSpec, NodeSpec, Text

FILE_PREFIX = "filename_prefix"
OLD_SAMPLER = "sample_"
"""What old documents write before the names of samplers."""

LONGEST_TEXT = GraphLimits().text
"""A longer one is refused with the graph, whatever it stands for."""

ValueOf = Callable[[str, str], Any]
"""The value of a node's widget, by the names of both; None if there is none."""


def decide(
    graph: Mapping[str, Any], specs: Mapping[str, NodeSpec], value_of: ValueOf, choose: Choose, moment: datetime
) -> None:
    """Put in the place of each typed text of a graph what it stands for."""
    for node in graph.values():
        spec, inputs = specs.get(node["class_type"]), node["inputs"]
        for one in given(spec.inputs, inputs) if spec is not None else ():
            value = inputs.get(one.name)
            if isinstance(value, str) and len(value) <= LONGEST_TEXT:
                inputs[one.name] = _meant(one, value, choose)
    for node in graph.values():
        prefix = node["inputs"].get(FILE_PREFIX)
        if isinstance(prefix, str) and len(prefix) <= LONGEST_TEXT:
            node["inputs"][FILE_PREFIX] = fill_placeholders(prefix, value_of, moment)


def _meant(spec: InputSpec, value: str, choose: Choose) -> str:
    if isinstance(spec.widget, Text) and spec.widget.dynamic_prompts:
        return resolve_dynamic(value, choose)
    if isinstance(spec.widget, Choice) and value.startswith(OLD_SAMPLER) and value not in spec.widget.options:
        return value.removeprefix(OLD_SAMPLER)
    return value
