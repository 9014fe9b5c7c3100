"""What a run tells on the console: files on standard output; progress, problems and failures on standard error."""

import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from execution.engine import Checked, Problem
from execution.events import Event, JobFailed, NodeBlocked, NodeFinished, NodeProgress, NodeStarted
from execution.graph import adopt, needed
from execution.headless.console import Stream, fitting, printable
from execution.input_checks import shown
from nodes.paths import resolve

BAR = 24
"""Characters of the progress bar."""


def problem_lines(checked: Checked, graph: Any) -> list[str]:
    """All that keeps a graph from running whole, a sentence each; none if nothing does."""
    lines = node_lines(checked, graph)
    if checked.error is not None and (not lines or checked.error.type == "invalid_partial_execution_targets"):
        lines.append(_sentence(checked.error))
    elif checked.error is not None and checked.error.type == "prompt_outputs_failed_validation":
        lines.extend(filter(None, [checked.error.details]))
    return lines


def node_lines(checked: Checked, graph: Any, unknown: Collection[str] = ()) -> list[str]:
    """The problems of its nodes, but for those that they have because these `unknown` ones were left out."""
    return [
        f"{_node(graph, node_id, node.class_type)}{_place(problem)}: {_sentence(problem)}"
        for node_id, node in checked.node_errors.items()
        for problem in node.errors
        if not _names(problem, unknown)
    ]


def unknown_nodes(checked: Checked) -> set[str]:
    """The nodes whose types are not installed."""
    return {
        node_id
        for node_id, node in checked.node_errors.items()
        if any(problem.type == "missing_node_type" for problem in node.errors)
    }


def _names(problem: Problem, sources: Collection[str]) -> bool:
    """Whether a problem is a link from one of these nodes."""
    match problem.extra_info.get("received_value"):
        case [str(source), _] if problem.type == "bad_linked_input":
            return source in sources
        case _:
            return False


def failure_line(failed: JobFailed, graph: Mapping[str, Any]) -> str:
    """The node that ended a job, and why."""
    where = "The job"
    if failed.node_id is not None:
        where = _node(graph, failed.node_id, failed.node_type or "")
    return f"{where} failed: {failed.exception_type}: {failed.message}"


class Reporter:
    """Listens to an engine while one job runs. On a terminal it draws a bar, elsewhere it writes a line per node."""

    def __init__(self, checked: Checked, output: Path, out: Stream, err: Stream) -> None:
        self._graph = checked.graph.read()
        self._total = max(1, len(needed(adopt(self._graph), checked.targets)))
        self._output = output
        self._out = out
        self._err = err
        self._has_bar = err.isatty()
        self._is_drawn = False
        self._started: dict[str, str] = {}
        self._finished: set[str] = set()

    def __call__(self, event: Event) -> None:
        match event:
            case NodeStarted(node_id=node_id, origin=None):
                self._begin(node_id)
            case NodeBlocked(node_id=node_id, message=message):
                self.clear()
                self._write(printable(f"{_node(self._graph, node_id)} was not run: {message}") + "\n")
            case NodeProgress(node_id=node_id, value=value, maximum=maximum) if self._has_bar:
                part = value / maximum if maximum > 0 else 0.0
                within = node_id if event.origin is None else event.origin.display
                self._draw(len(self._finished) + part, f"{value:g}/{maximum:g} {self._started.get(within, within)}")
            case NodeFinished(node_id=node_id, ui=ui):
                if event.origin is None:
                    self._finished.add(node_id)
                for path in _files(ui or {}, self._output):
                    self.clear()
                    self._out.write(f"{path}\n")
                    self._out.flush()
            case _:
                pass

    def clear(self) -> None:
        """Take the bar off the terminal."""
        if self._is_drawn:
            self._write("\r\x1b[K")
            self._is_drawn = False

    def _begin(self, node_id: str) -> None:
        name = self._started[node_id] = printable(_node(self._graph, node_id))
        if self._has_bar:
            self._draw(len(self._finished), name)
        else:
            self._write(f"{len(self._started)} of {max(self._total, len(self._started))}: {name}\n")

    def _draw(self, done: float, text: str) -> None:
        share = min(done / self._total, 1.0)
        filled = int(share * BAR)
        line = f"[{'#' * filled}{'-' * (BAR - filled)}] {share:4.0%} {text}"
        self._write(f"\r{fitting(line, shutil.get_terminal_size().columns - 1)}\x1b[K")
        self._is_drawn = True

    def _write(self, text: str) -> None:
        self._err.write(text)
        self._err.flush()


def _files(ui: Mapping[str, Any], output: Path) -> Iterator[Path]:
    """The files in the output folder that a node shows; previews are not kept."""
    for entries in ui.values():
        for entry in entries if isinstance(entries, list | tuple) else ():
            if isinstance(entry, Mapping) and entry.get("filename") and entry.get("type") == "output":
                yield resolve(output, f"{entry.get('subfolder', '')}/{entry['filename']}".lstrip("/"))


def _node(graph: Any, node_id: str, node_type: str = "") -> str:
    node = graph.get(node_id) if isinstance(graph, Mapping) else None
    found = node if isinstance(node, Mapping) else {}
    meta = found.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    node_type = node_type or str(found.get("class_type", ""))
    named = f' "{title}"' if isinstance(title, str) and title not in ("", node_type) else ""
    return f"Node {node_id}{named} ({node_type})"


def _place(problem: Problem) -> str:
    name = problem.extra_info.get("input_name")
    return f', input "{name}"' if isinstance(name, str) else ""


def _sentence(problem: Problem) -> str:
    details = problem.details
    if details == problem.extra_info.get("input_name"):
        # The place says that already; what is no link is not told with its value elsewhere.
        details = shown(problem.extra_info["received_value"]) if problem.type == "bad_linked_input" else ""
    return f"{problem.message}: {details}" if details else problem.message
