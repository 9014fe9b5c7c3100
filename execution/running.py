"""What the server knows of a job that runs: enough to write its history, whatever becomes of the worker."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from execution.engine import Job, JobState
from execution.events import (
    Event,
    JobFailed,
    JobInterrupted,
    JobStarted,
    JobSucceeded,
    Kept,
    NodeFinished,
    NodePlaced,
    NodePreview,
    NodeProgress,
    NodesCached,
    NodeStarted,
    Origin,
    Outcome,
    now,
)
from execution.queue import MOST_ATTEMPTS, Waiting


@dataclass(slots=True)
class RunningJob:
    """A job on its worker, as its events tell it.

    `job` is None until the store has given it out; `is_damaged` tells that what was written of it cannot be read.
    `signs` are the moments of the last signs of life of nodes that run, by id; `queued_as` names the nodes of the graph
    that expanded into others; a `verdict` is how the job ends whatever its worker says.
    """

    waiting: Waiting
    clock: Callable[[], float]
    job: Job | None = None
    is_interrupted: bool = False
    is_ending: bool = False
    is_damaged: bool = False
    deadline: asyncio.TimerHandle | None = None
    watch: asyncio.TimerHandle | None = None
    node_id: str | None = None
    executed: list[str] = field(default_factory=list[str])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    events: list[Kept] = field(default_factory=list[Kept])
    signs: dict[str, float] = field(default_factory=dict[str, float])
    queued_as: dict[str, str] = field(default_factory=dict[str, str])
    verdict: Outcome | None = None

    @property
    def id(self) -> str:
        return self.waiting.id

    def note(self, event: Event) -> None:
        """Remember what the history and a report of the worker's death need."""
        match event:
            case JobStarted() | NodesCached():
                self.events.append(event)
            case NodeStarted():
                self.node_id = event.node_id
                self.signs[event.node_id] = self.clock()
                if event.origin is not None:  # the node that has expanded waits for this one
                    self.queued_as[event.node_id] = event.origin.real
                    self.signs.pop(event.origin.parent, None)
            case NodeProgress() | NodePreview():
                self.signs[event.node_id] = self.clock()
            case NodeFinished():
                self.signs.pop(event.node_id, None)
                if event.ui is not None:
                    self.outputs[event.node_id] = event.ui
                    self._place(event.node_id, event.origin)
                if not event.cached and event.origin is None:
                    self.executed.append(event.node_id)
            case _:
                pass

    def _place(self, node_id: str, origin: Origin | None) -> None:
        if origin is not None:
            places = origin.parent, origin.display, origin.real
            self.events.append(NodePlaced(self.id, self.waiting.client_id, node_id, *places))

    def quietest(self) -> tuple[str, float] | None:
        """The node that has given no sign of life for longest, and when it gave the last one."""
        return min(self.signs.items(), key=lambda sign: sign[1]) if self.signs else None

    def stop_timers(self) -> None:
        for timer in (self.deadline, self.watch):
            if timer is not None:
                timer.cancel()

    def to_begin_again(self) -> Waiting | None:
        """The job as it waits again if its worker has not taken it: one that was ending already is not its fault."""
        if self.is_interrupted:
            return None
        if self.job is None:
            return self.waiting
        if self.events or self.job.attempt >= MOST_ATTEMPTS:
            return None
        return replace(self.waiting, attempt=self.job.attempt)

    def lost(self, reason: str) -> Outcome:
        """How the job ends when its worker is gone. Of nodes that run together the latest is named."""
        latest = self.node_id if self.node_id in self.signs else next(reversed(self.signs), self.node_id)
        node_id = self._queued(latest)
        node_type, executed = self._type_of(node_id), tuple(self.executed)
        if self.is_interrupted:
            return JobInterrupted(self.id, self.waiting.client_id, now(), node_id, node_type, executed)
        place = f"while node {node_id} ({node_type}) ran" if node_id is not None else "before the first node"
        return self.failed("WorkerDied", f"The worker process ended {place}: {reason}.", node_id)

    def timed_out(self, node_id: str, seconds: float) -> Outcome:
        """How the job ends because a node does nothing."""
        node_id = self._queued(node_id) or node_id
        message = (
            f"Node {node_id} ({self._type_of(node_id)}) gave no sign of life for {seconds:g} seconds, the limit that "
            "--node-timeout sets. Its worker was replaced."
        )
        return self.failed("NodeTimeout", message, node_id)

    def failed(self, kind: str, message: str, node_id: str | None = None) -> JobFailed:
        return JobFailed(
            self.id, self.waiting.client_id, now(), kind, message, node_id, self._type_of(node_id),
            tuple(self.executed),
        )  # fmt: skip

    def _queued(self, node_id: str | None) -> str | None:
        """The node of the graph that a running one belongs to."""
        return None if node_id is None else self.queued_as.get(node_id, node_id)

    def _type_of(self, node_id: str | None) -> str | None:
        if self.job is None or node_id is None:
            return None
        node = self.job.graph.read().get(node_id)
        return node["class_type"] if node is not None else None


def state_after(outcome: Outcome) -> JobState:
    """The state that a job is left in."""
    match outcome:
        case JobSucceeded():
            return "succeeded"
        case JobFailed():
            return "failed"
        case JobInterrupted():
            return "interrupted"
