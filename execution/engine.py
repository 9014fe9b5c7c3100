"""What the server knows of the engine: the protocol, and the records that pass through it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from execution.events import Event, Kept, Notice, WorkerState
from execution.json_text import JsonText
from nodes.spec import NodeSpec

Document = Mapping[str, Any]
"""A graph in API format, {node id: {"class_type", "inputs", "_meta"}}, as it comes out of a JSON parser."""

JobState = Literal["pending", "running", "succeeded", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something cannot run: a code for programs, a sentence and its details for people."""

    type: str
    message: str
    details: str = ""
    extra_info: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class NodeProblems:
    """What is wrong with one node, and the output nodes that cannot run because of it."""

    class_type: str
    errors: tuple[Problem, ...]
    dependent_outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """A graph that somebody wants to run.

    `job_id` is the client's own key: the same key again returns the first job, if `digest` (of what was asked for) is
    the same too. Lower `number`s run earlier; `front` puts the job before all that wait. `targets` limits the run to
    these output nodes. `extra_data` is kept with the job and given to nodes that ask for it (`extra_pnginfo`).
    """

    graph: Any
    client_id: str | None = None
    job_id: str | None = None
    number: float | None = None
    front: bool = False
    extra_data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    targets: tuple[str, ...] | None = None
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job is in the queue, durably. `node_errors` tells what was left out, `repeated` that it was there already."""

    job_id: str
    number: float
    node_errors: Mapping[str, NodeProblems] = field(default_factory=dict[str, NodeProblems])
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What would be queued: the graph with values converted and defaults filled in, the outputs that would run,
    and the problems of nodes. With an `error` nothing would run, and the graph is empty. `own_checkers` are the nodes
    that would run and check their inputs themselves."""

    graph: JsonText
    targets: tuple[str, ...]
    node_errors: Mapping[str, NodeProblems]
    error: Problem | None
    own_checkers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One queued graph, in API format. Times are milliseconds since 1970, None where the moment has not come."""

    id: str
    number: float
    graph: JsonText
    targets: tuple[str, ...]
    extra_data: JsonText
    client_id: str | None
    state: JobState
    created: int
    started: int | None = None
    ended: int | None = None
    attempt: int = 0
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A job that has ended: what its nodes showed, by node id, and the events that tell its life in order
    (JobStarted, NodesCached, and one of JobSucceeded, JobFailed, JobInterrupted)."""

    job: Job
    outputs: Mapping[str, Mapping[str, Any]]
    events: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class QueueView:
    """The ids of the jobs that run, and of those that wait, in the order in which they will."""

    running: tuple[str, ...]
    pending: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """How the worker is; the detail is a sentence for people."""

    state: WorkerState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All nodes by id. Of node packs by their name: what keeps some from being loaded, and folders for the browser.

    At `pack_socket`, if there is one, the worker answers requests to addresses that packs have added.
    """

    specs: Mapping[str, NodeSpec]
    failures: Mapping[str, str] = field(default_factory=dict[str, str])
    web_directories: Mapping[str, Path] = field(default_factory=dict[str, Path])
    pack_socket: Path | None = None


class InvalidGraphError(Exception):
    """The graph cannot run: the problem of the whole, and those of its nodes by node id."""

    def __init__(self, error: Problem, node_errors: Mapping[str, NodeProblems]) -> None:
        super().__init__(error.message)
        self.error = error
        self.node_errors = node_errors


class QueueFullError(Exception):
    """As many jobs wait as may."""


class KeyTakenError(Exception):
    """Another job was submitted under the same id."""


class WorkerFailedError(Exception):
    """The worker does not start; the message says why."""


class DirectoryInUseError(Exception):
    """Another server works in the same directory."""


class StoreError(Exception):
    """The queue on disk cannot be read or written: it is damaged or read-only, or a newer program has written it."""


class StoreFullError(StoreError):
    """The queue on disk cannot be written because the disk is full."""


class StoppingError(StoreError):
    """The engine ends, and takes no more jobs."""

    def __init__(self) -> None:
        super().__init__("Weft is stopping. Send this again when it has been started anew.")


class Engine(Protocol):
    """Takes graphs, runs them in the order of the queue, tells about it, and remembers what came of them."""

    async def start(self) -> None:
        """Open the queue and let the worker boot in the background. Raises DirectoryInUseError, StoreError."""
        ...

    async def stop(self) -> None:
        """End the worker; what waits in the queue stays there for the next start. Asked for again, it does nothing."""
        ...

    def status(self) -> WorkerStatus: ...

    def notices(self) -> Sequence[Notice]:
        """What is not as it should be with the queue on disk; nothing as a rule."""
        ...

    async def catalog(self) -> Catalog:
        """The nodes there are, as soon as the worker has told them. Raises WorkerFailedError, StoppingError."""
        ...

    async def fresh_catalog(self) -> Catalog:
        """The same, with the files that nodes of packs list now; what they listed last if they do not answer soon."""
        ...

    async def check(self, submission: Submission) -> Checked:
        """Validate without queueing. Waits for the catalog."""
        ...

    async def submit(self, submission: Submission) -> Accepted:
        """Queue a graph; it survives a crash once this returns.

        Raises InvalidGraphError, QueueFullError, KeyTakenError, WorkerFailedError, StoreError, and StoppingError once
        the engine ends.
        """
        ...

    def queue(self) -> QueueView: ...

    async def jobs(self, job_ids: Sequence[str]) -> Sequence[Job]:
        """These jobs in this order, waiting, running or ended; ids that are not known are left out."""
        ...

    async def cancel(self, job_ids: Iterable[str]) -> int:
        """Take waiting jobs out of the queue without a trace; returns how many there were."""
        ...

    async def clear(self) -> int:
        """Take all waiting jobs out of the queue."""
        ...

    def interrupt(self, job_id: str | None = None) -> bool:
        """Stop all that runs, or only this job if it runs; says whether there was one."""
        ...

    async def history_ids(self, max_items: int | None = None, offset: int | None = None) -> Sequence[str]:
        """Ended jobs, oldest first: `max_items` from the offset (counted from the oldest), else the latest ones."""
        ...

    async def history(self, job_ids: Sequence[str]) -> Sequence[HistoryEntry]:
        """What is remembered of these jobs, in this order; those that have not ended are left out."""
        ...

    async def delete_history(self, job_ids: Iterable[str]) -> int: ...

    async def clear_history(self) -> int: ...

    def free(self, unload_models: bool, free_memory: bool) -> None:
        """Ask all workers to drop their models, or their cached results too, as soon as their jobs have ended."""
        ...

    async def device_stats(self) -> Mapping[str, Any]:
        """Devices and their memory as the workers last saw them; empty until one has started."""
        ...

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Have every event delivered on the event loop, in order; call what is returned to end it."""
        ...
