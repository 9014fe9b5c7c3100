"""The commands `run`, `graph` and `check`: a file in, lines and an exit code out."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from execution.engine import Checked, Engine, Submission
from execution.events import Event, JobEnded, JobFailed, JobSucceeded, Outcome
from execution.graph import GraphError, parse
from execution.headless.assign import Assignment, assigned
from execution.headless.console import Stream, printable
from execution.headless.errors import HeadlessError
from execution.headless.report import Reporter, failure_line, node_lines, problem_lines, unknown_nodes
from execution.headless.source import Source
from execution.workflow import WorkflowError, to_graph

DONE, FAILED, INTERRUPTED = 0, 1, 130
"""Exit codes; the last is the shell's for what Ctrl-C has ended."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a command works on, and where it writes."""

    source: Source
    assignments: Sequence[Assignment]
    out: Stream
    err: Stream


async def show_graph(engine: Engine, task: Task) -> int:
    """Write the graph that would be queued, in API format without what only people read. Raises HeadlessError."""
    graph = await _graph(engine, task)
    try:
        parse(graph)
    except GraphError as error:
        raise HeadlessError(str(error)) from error
    bare = {
        node_id: {"class_type": node["class_type"], "inputs": node.get("inputs", {})} for node_id, node in graph.items()
    }
    task.out.write(json.dumps(bare, indent=2, allow_nan=False) + "\n")
    return DONE


async def check(engine: Engine, task: Task) -> int:
    """Write what keeps the graph from running, or that nothing does. Raises HeadlessError."""
    graph = await _graph(engine, task)
    checked, lines = await _checked(engine, graph)
    if not lines:
        task.out.write(f"The graph may run: {len(graph)} nodes, {len(checked.targets)} of them outputs.\n")
    return _complain(task, lines)


async def run(engine: Engine, task: Task, output: Path) -> int:
    """Run the graph, if all of it can, and write the files that it saves below `output`. Raises HeadlessError."""
    graph = await _graph(engine, task)
    checked, lines = await _checked(engine, graph)
    if lines:
        return _complain(task, lines)
    reporter = Reporter(checked, output, task.out, task.err)
    try:
        outcome = await _outcome(engine, Submission(graph, extra_data=_extra_data(task)), reporter)
    finally:
        reporter.clear()
    match outcome:
        case JobSucceeded():
            return DONE
        case JobFailed():
            return _complain(task, [failure_line(outcome, graph)])
        case _:
            return INTERRUPTED


async def _graph(engine: Engine, task: Task) -> Mapping[str, Any]:
    """The graph of the file, with the values that are set."""
    if task.source.graph is not None and not task.assignments:
        return task.source.graph
    specs = (await engine.catalog()).specs

    def adjusted(graph: Mapping[str, Any]) -> dict[str, Any]:
        return assigned(graph, task.assignments, specs)

    if task.source.graph is not None:
        return adjusted(task.source.graph)
    try:
        return await asyncio.to_thread(to_graph, task.source.workflow, specs, adjust=adjusted)
    except WorkflowError as error:
        raise HeadlessError(str(error)) from error


async def _checked(engine: Engine, graph: Mapping[str, Any]) -> tuple[Checked, list[str]]:
    """What the engine finds, and a line for each problem. Where types are not installed, the rest has problems too."""
    checked = await engine.check(Submission(graph))
    lines = problem_lines(checked, graph)
    if unknown := unknown_nodes(checked):
        rest = {node_id: node for node_id, node in graph.items() if node_id not in unknown}
        lines += node_lines(await engine.check(Submission(rest)), graph, unknown)
    return checked, lines


def _extra_data(task: Task) -> dict[str, Any]:
    """What is saved in pictures beside the graph: the workflow, unless it tells other values than those set."""
    if task.source.workflow is None or task.assignments:
        return {}
    return {"extra_pnginfo": {"workflow": task.source.workflow}}


async def _outcome(engine: Engine, submission: Submission, reporter: Reporter) -> Outcome:
    """Run the only job of an engine to its end; if this is cancelled, the job is interrupted."""
    outcomes: list[Outcome] = []
    ended = asyncio.Event()

    def listen(event: Event) -> None:
        reporter(event)
        if isinstance(event, Outcome):
            outcomes.append(event)
        elif isinstance(event, JobEnded):
            ended.set()

    unsubscribe = engine.subscribe(listen)
    try:
        accepted = await engine.submit(submission)
        try:
            await ended.wait()
        except asyncio.CancelledError:
            engine.interrupt(accepted.job_id)
            raise
    finally:
        unsubscribe()
    return outcomes[0]


def _complain(task: Task, lines: Iterable[str]) -> int:
    """Write the lines for people; the exit code says whether there were any."""
    code = DONE
    for line in lines:
        task.err.write("\n".join(map(printable, line.splitlines())) + "\n")
        code = FAILED
    return code
