"""Derives graphs of workflows. One that comes again unchanged is not derived again where that would give the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from execution.json_text import JsonText
from execution.recent import Asked, Recent
from execution.workflow.convert import to_graph
from nodes.spec import NodeSpec


@dataclass(frozen=True, slots=True)
class _Derived:
    graph: Mapping[str, Any]
    specs: Mapping[str, NodeSpec]


class KnownDrawings:
    """The graphs of workflows, from whichever thread. `specs` are compared by identity: changed ones are new ones."""

    def __init__(self) -> None:
        self._recent: Recent[_Derived] = Recent()

    def graph_of(self, workflow: Any, specs: Mapping[str, NodeSpec]) -> Mapping[str, Any]:
        """What `to_graph` gives; not to be changed. Raises WorkflowError."""
        asked = Asked(JsonText.of(workflow).text, None)
        derived = self._recent.get(asked)
        if derived is not None and derived.specs is specs:
            return derived.graph
        is_lasting = True

        def look(graph: dict[str, Any]) -> dict[str, Any]:
            nonlocal is_lasting
            is_lasting = not any(_may_vary(value) for node in graph.values() for value in node["inputs"].values())
            return graph

        graph = to_graph(workflow, specs, adjust=look)
        if is_lasting:
            self._recent.put(asked, _Derived(graph, specs))
        return graph


def _may_vary(value: Any) -> bool:
    """Whether a typed value may be a dynamic prompt, or hold the date, and mean something else another time."""
    return isinstance(value, str) and ("{" in value or "%" in value)
