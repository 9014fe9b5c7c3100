"""What the server knows of the job that runs: enough to write its history, whatever becomes of the worker."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from execution.engine import Job, JobState
from execution.events import (
    Event,
    JobFailed,
    JobInterrupted,
    JobStarted,
    JobSucceeded,
    NodeFinished,
    NodesCached,
    NodeStarted,
    Outcome,
)
from execution.executor import now


@dataclass(slots=True)
class RunningJob:
    """A job on its worker, as its events tell it."""

    job: Job
    is_sent: bool = False
    is_interrupted: bool = False
    is_ending: bool = False
    deadline: asyncio.TimerHandle | None = None
    node_id: str | None = None
    executed: list[str] = field(default_factory=list[str])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    events: list[Event] = field(default_factory=list[Event])

    def note(self, event: Event) -> None:
        """Remember what the history and a report of the worker's death need."""
        match event:
            case JobStarted() | NodesCached():
                self.events.append(event)
            case NodeStarted():
                self.node_id = event.node_id
            case NodeFinished():
                if event.ui is not None:
                    self.outputs[event.node_id] = event.ui
                if not event.cached:
                    self.executed.append(event.node_id)
            case _:
                pass

    def lost(self, reason: str) -> Outcome:
        """How the job ends when its worker is gone."""
        job = self.job
        node_type = job.graph[self.node_id]["class_type"] if self.node_id is not None else None
        executed = tuple(self.executed)
        if self.is_interrupted:
            return JobInterrupted(job.id, job.client_id, now(), self.node_id, node_type, executed)
        place = f"while node {self.node_id} ({node_type}) ran" if self.node_id is not None else "before the first node"
        return JobFailed(
            job.id, job.client_id, now(), "WorkerDied", f"The worker process ended {place}: {reason}.",
            self.node_id, node_type, executed,
        )  # fmt: skip


def state_after(outcome: Outcome) -> JobState:
    """The state that a job is left in."""
    match outcome:
        case JobSucceeded():
            return "succeeded"
        case JobFailed():
            return "failed"
        case JobInterrupted():
            return "interrupted"
