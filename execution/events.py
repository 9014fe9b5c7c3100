"""What the engine tells while it works: frozen records, translated to messages by whoever listens."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


WorkerState = Literal["starting", "ready", "restarting", "failed"]


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """The number of jobs that wait or run has changed."""

    remaining: int


@dataclass(frozen=True, slots=True)
class WorkerChanged:
    """The worker has started, stopped or failed; the detail is a sentence for people, empty when it is ready."""

    state: WorkerState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that is not as it should be with the queue on disk: a kind for programs, and a sentence for people."""

    kind: Literal["queue_damaged", "disk_refuses"]
    message: str


@dataclass(frozen=True, slots=True)
class NoticesChanged:
    """All that is not as it should be now."""

    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A custom node says something to the editor, in words of its own; to all clients if `client_id` is None."""

    type: str
    data: Any
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something about one job; `client_id` is whom it concerns, None where nobody asked to be told."""

    job_id: str
    client_id: str | None


@dataclass(frozen=True, slots=True)
class JobStarted(JobEvent):
    """A worker has taken the job; timestamps of events are milliseconds since 1970."""

    timestamp: int


@dataclass(frozen=True, slots=True)
class NodesCached(JobEvent):
    """These nodes need not run, because their results are still there. Sent once, after the start."""

    nodes: tuple[str, ...]
    timestamp: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node comes from that was not queued: the node that expanded into it, the node that it is shown as, and
    the queued node that all of it began with."""

    parent: str
    display: str
    real: str


@dataclass(frozen=True, slots=True)
class NodeStarted(JobEvent):
    """The function of a node is about to be called. `origin` is that of a node made by an expansion."""

    node_id: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class NodeBlocked(JobEvent):
    """A node was not called, because of a blocker that reached it with this message. The job goes on."""

    node_id: str
    node_type: str
    message: str
    timestamp: int
    executed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeProgress(JobEvent):
    """A node has come as far as `value` out of `maximum`."""

    node_id: str
    value: float
    maximum: float
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class NodePreview(JobEvent):
    """A picture of what a node is making, as JPEG bytes."""

    node_id: str
    jpeg: bytes
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class NodePicture(JobEvent):
    """A picture that a node has made for the client alone, as PNG bytes: no later one takes its place."""

    node_id: str
    png: bytes
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class NodeFinished(JobEvent):
    """A node has its results. `ui` is what it shows (file names, texts), None where it shows nothing.

    Cached nodes are told only where they have something to show.
    """

    node_id: str
    ui: Mapping[str, Any] | None = None
    cached: bool = False
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class NodePlaced(JobEvent):
    """Only in the history: where a node comes from that showed something and was not queued."""

    node_id: str
    parent: str
    display: str
    real: str


@dataclass(frozen=True, slots=True)
class JobSucceeded(JobEvent):
    """All nodes that were wanted have run, and the history holds the job."""

    timestamp: int


@dataclass(frozen=True, slots=True)
class JobFailed(JobEvent):
    """The job has ended with an error, which names the node where one is to blame.

    `executed` are the nodes that had finished; `current_inputs` are short texts of what the node was given, by input;
    `traceback` starts at the node's own frame.
    """

    timestamp: int
    exception_type: str
    message: str
    node_id: str | None = None
    node_type: str | None = None
    executed: tuple[str, ...] = ()
    traceback: tuple[str, ...] = ()
    current_inputs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class JobInterrupted(JobEvent):
    """Somebody has stopped the job, at the node named (None: before the first one)."""

    timestamp: int
    node_id: str | None = None
    node_type: str | None = None
    executed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobEnded(JobEvent):
    """The job has left the queue, however it ended. Always the last event of a job, after `QueueChanged`."""


Outcome = JobSucceeded | JobFailed | JobInterrupted
OfJob = (
    JobStarted
    | NodesCached
    | NodeStarted
    | NodeBlocked
    | NodeProgress
    | NodePreview
    | NodePicture
    | NodeFinished
    | Outcome
    | JobEnded
)
Event = QueueChanged | WorkerChanged | NoticesChanged | ClientMessage | OfJob
Kept = JobStarted | NodesCached | NodePlaced | Outcome
"""What the history remembers of a job."""
