"""What the nodes of a job are told of it, beside their inputs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from execution.dynamic import DynamicGraph
from execution.expansion import new_ids
from execution.graph import NodeId
from execution.hidden import hidden_inputs
from execution.run import Run, settings_for
from execution.telling import Teller
from nodes.context import Context
from nodes.spec import NodeSpec


class Contexts:
    """The contexts of one job's nodes, and their hidden inputs. `worker` is what all jobs of the worker have in common,
    and `check` raises InterruptedByUserError once the job is to stop."""

    def __init__(self, run: Run, worker: Context, graph: DynamicGraph, tell: Teller, check: Callable[[], None]) -> None:
        self._run = run
        self._worker = worker
        self._graph = graph
        self._tell = tell
        self._check = check

    def of(self, node_id: NodeId, spec: NodeSpec, call_number: int = 0) -> Context:
        """The context of one call of a node; one of no node in particular for those that do not ask for it."""
        if spec.context_parameter is None:
            return self._worker

        def progress(value: float, maximum: float, preview: bytes | None = None) -> None:
            self._tell.progress(node_id, value, maximum, preview)
            self._check()

        def send_picture(png: bytes) -> None:
            self._tell.picture(node_id, png)

        return replace(
            self._common,
            node_id=node_id,
            progress=progress,
            send_picture=send_picture,
            new_ids=self.new_ids(node_id, call_number),
            call_number=call_number,
        )

    def hidden(self, node_id: NodeId, spec: NodeSpec) -> dict[str, Any]:
        """The hidden inputs that a node asks for."""
        if not spec.hidden:
            return {}
        return hidden_inputs(spec.hidden.items(), node_id, self._graph, self._document, self._extra_data)

    def new_ids(self, node_id: NodeId, call_number: int) -> str:
        """What the ids of the nodes begin with that one call of a node expands into."""
        origin = self._graph.origin(node_id)
        return new_ids(node_id, node_id if origin is None else origin.real, call_number)

    @cached_property
    def _document(self) -> Mapping[str, Any]:
        """The graph as it was queued, read for this job alone: nodes are given it, and may change it."""
        return self._run.graph.read()

    @cached_property
    def _extra_data(self) -> Mapping[str, Any]:
        return {**self._run.extra_data.read(), **self._run.secrets}

    @cached_property
    def _common(self) -> Context:
        """What all nodes see of the job."""
        return replace(
            self._worker,
            settings=settings_for(self._extra_data, self._worker.settings),
            graph=self._document,
            extra_pnginfo=self._extra_data.get("extra_pnginfo") or {},
            check=self._check,
            job_id=self._run.job_id,
        )
