"""Runs the nodes of one graph: values in, events out, content for keys."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from execution.cache import Cache, Key, Result, keys
from execution.calling import NodeError, call, fingerprint, frames_of, message_of, type_name
from execution.events import (
    Event,
    JobFailed,
    JobInterrupted,
    JobStarted,
    JobSucceeded,
    NodeFinished,
    NodePreview,
    NodeProgress,
    NodesCached,
    NodeStarted,
    Outcome,
)
from execution.graph import Graph, Link, Node, NodeId, ordered, parse
from nodes.context import Context, InterruptedByUserError, WorkerSettings
from nodes.spec import NodeSpec


@dataclass(frozen=True, slots=True)
class Run:
    """A validated graph on its way to an executor."""

    job_id: str
    client_id: str | None
    graph: Mapping[str, Any]
    targets: tuple[NodeId, ...]
    extra_data: Mapping[str, Any] = field(default_factory=dict[str, Any])


PREVIEW_METHODS = ("none", "auto", "latent2rgb")


def settings_for(run: Run, settings: WorkerSettings) -> WorkerSettings:
    """The worker's settings, with previews as the job asks for them (`preview_method` in its extra data)."""
    method = run.extra_data.get("preview_method")
    return replace(settings, preview_method=method) if method in PREVIEW_METHODS else settings


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class UnknownNodeTypeError(Exception):
    """The graph was accepted when there was a node type that is no longer there."""


class Executor:
    """Runs graphs one at a time in the calling thread, and keeps results from one to the next.

    `context` is what nodes see of the worker, `emit` takes the events, `stopped` says whether a job (by id) is to end.
    """

    def __init__(
        self,
        specs: Mapping[str, NodeSpec],
        cache: Cache,
        context: Context,
        emit: Callable[[Event], None],
        stopped: Callable[[str], bool],
    ) -> None:
        self._specs = specs
        self._cache = cache
        self._context = context
        self._emit = emit
        self._stopped = stopped

    def run(self, run: Run) -> Outcome:
        """Run what the targets need, and tell how it ended. Nothing that a node does makes this raise."""
        self._emit(JobStarted(run.job_id, run.client_id, now()))
        job = _JobRun(run, self._specs, self._cache, self._context, self._emit, self._stopped)
        try:
            job.run()
        except InterruptedByUserError:
            return JobInterrupted(
                run.job_id, run.client_id, now(), job.current, job.current_type, executed=tuple(job.executed)
            )
        except NodeError as error:
            return JobFailed(
                run.job_id, run.client_id, now(), error.exception_type, error.message, error.node_id, error.node_type,
                tuple(job.executed), error.frames, error.inputs,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - a graph that cannot be read ends its job, not the worker
            return JobFailed(
                run.job_id, run.client_id, now(), type_name(error), message_of(error), job.current, job.current_type,
                tuple(job.executed), frames_of(error),
            )  # fmt: skip
        return JobSucceeded(run.job_id, run.client_id, now())


class _JobRun:
    """One run of one graph: the results that are still to be read, and how far it is."""

    def __init__(
        self,
        run: Run,
        specs: Mapping[str, NodeSpec],
        cache: Cache,
        context: Context,
        emit: Callable[[Event], None],
        stopped: Callable[[str], bool],
    ) -> None:
        self._run = run
        self._specs = specs
        self._cache = cache
        self._emit = emit
        self._stopped = stopped
        self._context = replace(
            context,
            settings=settings_for(run, context.settings),
            graph=run.graph,
            extra_pnginfo=run.extra_data.get("extra_pnginfo") or {},
            check=self._check,
        )
        self._results: dict[NodeId, Result] = {}
        self._unread: Counter[NodeId] = Counter()
        self._keys: dict[NodeId, Key | None] = {}
        self.executed: list[NodeId] = []
        self.current: NodeId | None = None
        self.current_type: str | None = None

    def run(self) -> None:
        graph = parse(self._run.graph)
        order = ordered(graph, self._run.targets)
        self._refuse_unknown(graph, order)
        self._keys = keys(graph, order, self._specs, self._fingerprint)
        cached = {node_id: found for node_id in order if (found := self._cache.get(self._keys[node_id])) is not None}
        self._emit(NodesCached(self._run.job_id, self._run.client_id, tuple(cached), now()))
        for node_id, result in cached.items():
            self._show_cached(node_id, result)
        plan = ordered(graph, self._run.targets, known=cached)
        self._unread.update(link.source for node_id in plan for link in graph[node_id].links())
        self._results = {node_id: result for node_id, result in cached.items() if self._unread[node_id]}
        cached.clear()
        for node_id in plan:
            self._run_node(graph[node_id])

    def _run_node(self, node: Node) -> None:
        self._check()
        self.current, self.current_type = node.id, node.type
        key = self._keys[node.id]
        # An equal node may have run a moment ago in this very graph.
        result = self._cache.get(key)
        if result is not None:
            self._show_cached(node.id, result)
        else:
            self._emit(NodeStarted(self._run.job_id, self._run.client_id, node.id))
            start = time.perf_counter()
            result = self._call(node)
            self._cache.put(key, result, time.perf_counter() - start)
            self._emit(NodeFinished(self._run.job_id, self._run.client_id, node.id, result.ui))
        self.executed.append(node.id)
        if self._unread[node.id]:
            self._results[node.id] = result
        self._drop_read(node)

    def _call(self, node: Node) -> Result:
        spec = self._specs[node.type]
        inputs = self._inputs(node, spec)
        try:
            return call(spec, inputs, self._context_of(node.id, spec))
        except InterruptedByUserError:
            raise
        except BaseException as error:  # noqa: BLE001 - a node that calls sys.exit ends its job, not the worker
            raise NodeError(node.id, node.type, error, inputs) from None

    def _inputs(self, node: Node, spec: NodeSpec) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        for declared in spec.inputs:
            if declared.name in node.inputs:
                value = node.inputs[declared.name]
                is_link = isinstance(value, Link)
                inputs[declared.name] = self._results[value.source].outputs[value.output] if is_link else value
        return inputs

    def _drop_read(self, node: Node) -> None:
        """Forget the results whose last reader this node was."""
        for link in node.links():
            self._unread[link.source] -= 1
            if not self._unread[link.source]:
                self._results.pop(link.source, None)

    def _context_of(self, node_id: NodeId, spec: NodeSpec) -> Context:
        if spec.context_parameter is None:
            return self._context

        def progress(value: float, maximum: float, preview: bytes | None = None) -> None:
            self._emit(NodeProgress(self._run.job_id, self._run.client_id, node_id, value, maximum))
            if preview is not None:
                self._emit(NodePreview(self._run.job_id, self._run.client_id, node_id, preview))
            self._check()

        return replace(self._context, node_id=node_id, progress=progress)

    def _fingerprint(self, node: Node, spec: NodeSpec) -> str:
        inputs = {
            declared.name: None if isinstance(node.inputs[declared.name], Link) else node.inputs[declared.name]
            for declared in spec.inputs
            if declared.name in node.inputs
        }
        return fingerprint(spec, inputs, self._context_of(node.id, spec))

    def _show_cached(self, node_id: NodeId, result: Result) -> None:
        if result.ui is not None:
            self._emit(NodeFinished(self._run.job_id, self._run.client_id, node_id, result.ui, cached=True))

    def _check(self) -> None:
        if self._stopped(self._run.job_id):
            raise InterruptedByUserError

    def _refuse_unknown(self, graph: Graph, order: Iterable[NodeId]) -> None:
        for node_id in order:
            node = graph[node_id]
            if node.type not in self._specs:
                self.current, self.current_type = node_id, node.type
                raise UnknownNodeTypeError(f"Node {node_id} is of the type {node.type}, which is not installed.")
