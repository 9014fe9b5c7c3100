"""Checks the graphs that are submitted. One that comes again is not checked again where that would find the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from execution.engine import Checked
from execution.files import Files
from execution.graph import GraphLimits, NodeId
from execution.json_text import JsonText
from execution.recent import Asked, Recent
from execution.validation import check
from nodes.spec import NodeSpec


class NotedFiles:
    """Files, and what they said to all that they were asked."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._choices: dict[str, Sequence[str]] = {}
        self._has: dict[tuple[str, str], bool] = {}

    def choices(self, folder: str) -> Sequence[str]:
        self._choices[folder] = self._files.choices(folder)
        return self._choices[folder]

    def has(self, folder: str, name: str) -> bool:
        self._has[folder, name] = self._files.has(folder, name)
        return self._has[folder, name]

    def are_as_noted(self) -> bool:
        """Whether they would say the same now."""
        return all(self._files.choices(folder) == told for folder, told in self._choices.items()) and all(
            self._files.has(*asked) == told for asked, told in self._has.items()
        )


@dataclass(frozen=True, slots=True)
class _Passed:
    """A graph without problems, and what its check has relied on."""

    checked: Checked
    specs: Mapping[str, NodeSpec]
    files: NotedFiles


class Checks:
    """The checks of one engine, from whichever thread. `specs` are compared by identity: changed ones are new ones."""

    def __init__(self, files: Files, limits: GraphLimits) -> None:
        self._files = files
        self._limits = limits
        self._recent: Recent[_Passed] = Recent()

    def of(self, document: Any, targets: tuple[NodeId, ...] | None, specs: Mapping[str, NodeSpec]) -> Checked:
        """What `check` says of a graph, made from it only if it is not known."""
        asked = _asked(document, targets)
        if asked is None:
            return check(document, specs, self._files, targets, self._limits)
        passed = self._recent.get(asked)
        if passed is not None and passed.specs is specs and passed.files.are_as_noted():
            return passed.checked
        files = NotedFiles(self._files)
        checked = check(document, specs, files, targets, self._limits)
        if checked.error is None and not checked.node_errors:
            self._recent.put(asked, _Passed(checked, specs, files))
        return checked


def _asked(document: Any, targets: tuple[NodeId, ...] | None) -> Asked | None:
    """The graph as text, which unlike its values tells 1 from true and 1.0; None if it has none."""
    try:
        return Asked(JsonText.of(document).text, targets)
    except (TypeError, ValueError, RecursionError):
        return None
