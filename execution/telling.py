"""What a job tells while it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from execution.cache import Result, ShownInside
from execution.dynamic import DynamicGraph
from execution.events import (
    Event,
    NodeBlocked,
    NodeFinished,
    NodePicture,
    NodePreview,
    NodeProgress,
    NodesCached,
    NodeStarted,
    Origin,
    now,
)
from execution.graph import NodeId
from execution.run import Run


class Teller:
    """Emits the events of one run's nodes, with where those come from that were not queued."""

    def __init__(self, run: Run, graph: DynamicGraph, emit: Callable[[Event], None]) -> None:
        self._job_id, self._client_id = run.job_id, run.client_id
        self._graph = graph
        self._emit = emit
        self._inside: dict[NodeId, list[ShownInside]] = {}

    def found(self, node_ids: Sequence[NodeId]) -> None:
        """These nodes need not run."""
        self._emit(NodesCached(self._job_id, self._client_id, tuple(node_ids), now()))

    def started(self, node_id: NodeId) -> None:
        self._emit(NodeStarted(self._job_id, self._client_id, node_id, self._graph.origin(node_id)))

    def finished(self, node_id: NodeId, ui: Mapping[str, Any] | None) -> None:
        self._finished(node_id, ui, False, self._graph.origin(node_id))

    def cached(self, node_id: NodeId, result: Result | None) -> None:
        """A node need not run; told where it shows something, itself or in what it once expanded into."""
        if result is None:
            return
        origin = self._graph.origin(node_id)
        for one in result.inside:
            real = node_id if origin is None else origin.real
            display = node_id if origin is None else origin.display
            place = Origin(node_id + one.parent, self._beside(one) or display, real)
            self._finished(node_id + one.node_id, one.ui, True, place)
        if result.ui is not None:
            self._finished(node_id, result.ui, True, origin)

    def with_inside(self, node_id: NodeId, result: Result) -> Result:
        """The result of a node that has expanded, with what has been shown in that."""
        if self._graph.origin(node_id) is not None:
            return result
        return replace(result, inside=tuple(self._inside.pop(node_id, ())))

    def _finished(self, node_id: NodeId, ui: Mapping[str, Any] | None, cached: bool, origin: Origin | None) -> None:
        self._emit(NodeFinished(self._job_id, self._client_id, node_id, ui, cached, origin))
        if ui is not None and origin is not None:
            self._inside.setdefault(origin.real, []).append(self._shown_inside(node_id, ui, origin))

    def _shown_inside(self, node_id: NodeId, ui: Mapping[str, Any], origin: Origin) -> ShownInside:
        real, display = origin.real, origin.display
        beside = None if display == real or display not in self._graph else (display, self._graph[display].type)
        return ShownInside(node_id.removeprefix(real), origin.parent.removeprefix(real), beside, ui)

    def _beside(self, shown: ShownInside) -> NodeId | None:
        """The other node that something was shown as; not if a node of another type has its id by now."""
        if shown.beside is None:
            return None
        display, node_type = shown.beside
        return display if display in self._graph and self._graph[display].type == node_type else None

    def blocked(self, node_id: NodeId, message: str, executed: Sequence[NodeId]) -> None:
        """A node was kept from running; told of the queued one."""
        told = self._graph[self._graph.root(node_id)]
        self._emit(NodeBlocked(self._job_id, self._client_id, told.id, told.type, message, now(), tuple(executed)))

    def progress(self, node_id: NodeId, value: float, maximum: float, preview: bytes | None) -> None:
        origin = self._graph.origin(node_id)
        self._emit(NodeProgress(self._job_id, self._client_id, node_id, value, maximum, origin))
        if preview is not None:
            self._emit(NodePreview(self._job_id, self._client_id, node_id, preview, origin))

    def picture(self, node_id: NodeId, png: bytes) -> None:
        """A result that is sent and not kept."""
        self._emit(NodePicture(self._job_id, self._client_id, node_id, png, self._graph.origin(node_id)))
