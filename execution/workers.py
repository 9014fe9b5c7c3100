"""What an engine asks of a worker, and what a worker tells its engine."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from execution.engine import Catalog, Job, Problem, WorkerStatus
from execution.events import Event
from execution.json_text import JsonText
from nodes.spec import NodeSpec


class WorkerListener(Protocol):
    """Whom a worker reports to, on the event loop."""

    def worker_changed(self, status: WorkerStatus) -> None: ...

    def worker_ready(self, catalog: Catalog) -> None: ...

    def nodes_changed(self, specs: Mapping[str, NodeSpec]) -> None:
        """These nodes declare themselves otherwise than before."""
        ...

    def worker_events(self, events: Sequence[Event]) -> None: ...

    def worker_lost(self, reason: str) -> None:
        """The worker has ended, and with it whatever it did; another is being started."""
        ...


class Worker(Protocol):
    """Runs one job at a time, somewhere."""

    def start(self, listener: WorkerListener) -> None: ...

    async def stop(self) -> None: ...

    def run(self, job: Job, secrets: Mapping[str, Any]) -> None:
        """Begin a job; `secrets` is extra data that the job's record does not hold."""
        ...

    def interrupt(self, job_id: str) -> None:
        """Ask the job to stop at its next step."""
        ...

    def replace(self, because: str) -> None:
        """End the worker at once, whatever it does, and start another."""
        ...

    def free(self, unload_models: bool, free_memory: bool) -> None: ...

    async def refresh(self) -> None:
        """Have nodes asked again for inputs that list files, and the listener told; not for longer than a moment."""
        ...

    async def checks(self, graph: JsonText, nodes: tuple[str, ...]) -> Mapping[str, Sequence[Problem]]:
        """What these nodes of a graph say of their inputs themselves; nothing if there is no answer in time."""
        ...

    async def stats(self) -> Mapping[str, Any]:
        """The worker's devices in the words of /system_stats; empty as long as none were told."""
        ...
