"""An engine that runs nothing: it keeps what it is given and tells what a test makes it tell."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from execution.engine import (
    Accepted,
    Catalog,
    Checked,
    HistoryEntry,
    InvalidGraphError,
    Job,
    NodeProblems,
    Problem,
    QueueFullError,
    QueueView,
    Submission,
    WorkerFailedError,
    WorkerStatus,
)
from execution.events import Event, Notice, QueueChanged
from execution.json_text import JsonText
from nodes.spec import FileChoice, InputSpec, NodeSpec, Number, OutputSpec, Text

LOADER = NodeSpec(
    id="CheckpointLoaderSimple",
    display_name="Load Checkpoint",
    category="loaders",
    description="A model from a file.",
    inputs=(InputSpec("ckpt_name", "COMBO", FileChoice("checkpoints")),),
    outputs=(OutputSpec("MODEL", "MODEL"),),
)
TEXT = NodeSpec(
    id="CLIPTextEncode",
    display_name="CLIP Text Encode (Prompt)",
    category="conditioning",
    description="Text for the sampler.",
    inputs=(InputSpec("text", "STRING", Text(multiline=True)), InputSpec("clip", "CLIP")),
    outputs=(OutputSpec("CONDITIONING", "CONDITIONING"),),
)
SEED = NodeSpec(
    id="Seed",
    display_name="Seed",
    category="test",
    description="",
    inputs=(
        InputSpec("seed", "INT", Number(0, 2**64 - 1, control_after_generate=True), 0),
        InputSpec("image", "COMBO", FileChoice("input", upload=True)),
        InputSpec("mask", "MASK", optional=True, default=None, tooltip="Where.", advanced=True),
    ),
    outputs=(),
    output_node=True,
    context_parameter="context",
)


class FakeEngine:
    """Queues without running. `listeners` hear what `tell` is given; the other attributes change what it answers."""

    def __init__(self) -> None:
        self.specs: dict[str, NodeSpec] = {spec.id: spec for spec in (LOADER, TEXT, SEED)}
        self.failures: dict[str, str] = {}
        self.web_directories: dict[str, Path] = {}
        self.worker = WorkerStatus("ready")
        self.noted: tuple[Notice, ...] = ()
        self.waiting: list[Job] = []
        self.running: list[Job] = []
        self.ended: list[HistoryEntry] = []
        self.submissions: list[Submission] = []
        self.interrupted: list[str | None] = []
        self.freed: list[tuple[bool, bool]] = []
        self.capacity = 100
        self.crash: Exception | None = None
        self.devices: Mapping[str, Any] = {"devices": [{"name": "cpu", "type": "cpu", "index": 0}]}
        self.started = self.stopped = False
        self.listeners: list[Callable[[Event], None]] = []

    def tell(self, *events: Event) -> None:
        for event in events:
            for listener in list(self.listeners):
                listener(event)

    async def start(self) -> None:
        self.started = True

    async def stop(self) -> None:
        self.stopped = True

    def status(self) -> WorkerStatus:
        return self.worker

    def notices(self) -> tuple[Notice, ...]:
        return self.noted

    async def catalog(self) -> Catalog:
        if self.worker.state == "failed":
            raise WorkerFailedError(self.worker.detail)
        return Catalog(self.specs, self.failures, self.web_directories)

    async def fresh_catalog(self) -> Catalog:
        return await self.catalog()

    async def check(self, submission: Submission) -> Checked:
        graph = submission.graph if isinstance(submission.graph, dict) else {}
        unknown = {
            node_id: NodeProblems(str(node), (Problem("missing_node_type", f"There is no node {node!r}."),), ())
            for node_id, node in ((id, node.get("class_type")) for id, node in graph.items())
            if node not in self.specs
        }
        error = Problem("prompt_no_outputs", "Prompt has no outputs") if unknown or not graph else None
        return Checked(JsonText.of(graph), (), unknown, error)

    async def submit(self, submission: Submission) -> Accepted:
        if self.crash is not None:
            raise self.crash
        if len(self.waiting) >= self.capacity:
            raise QueueFullError("100 jobs wait already.")
        checked = await self.check(submission)
        if checked.error is not None:
            raise InvalidGraphError(checked.error, checked.node_errors)
        self.submissions.append(submission)
        number = len(self.submissions) if submission.number is None else submission.number
        job = Job(
            id=submission.job_id or f"job-{len(self.submissions)}",
            number=-number if submission.front else number,
            graph=checked.graph,
            targets=submission.targets or (),
            extra_data=JsonText.of(submission.extra_data),
            client_id=submission.client_id,
            state="pending",
            created=1000,
        )
        self.waiting.append(job)
        self.tell(QueueChanged(len(self.waiting)))
        return Accepted(job.id, job.number)

    def queue(self) -> QueueView:
        return QueueView(tuple(job.id for job in self.running), tuple(job.id for job in self.waiting))

    async def jobs(self, job_ids: Sequence[str]) -> Sequence[Job]:
        known = {job.id: job for job in (*self.running, *self.waiting)}
        return [known[job_id] for job_id in job_ids if job_id in known]

    def run_next(self) -> Job:
        """Make the first waiting job the running one."""
        job = replace(self.waiting.pop(0), state="running", started=2000)
        self.running.append(job)
        return job

    async def cancel(self, job_ids: Iterable[str]) -> int:
        before, ids = len(self.waiting), set(job_ids)
        self.waiting = [job for job in self.waiting if job.id not in ids]
        return before - len(self.waiting)

    async def clear(self) -> int:
        count, self.waiting = len(self.waiting), []
        return count

    def interrupt(self, job_id: str | None = None) -> bool:
        self.interrupted.append(job_id)
        return bool(self.running)

    async def history_ids(self, max_items: int | None = None, offset: int | None = None) -> Sequence[str]:
        ids = [entry.job.id for entry in self.ended]
        if offset is not None:
            return ids[offset:][:max_items]
        return ids if max_items is None else ids[len(ids) - min(max_items, len(ids)) :]

    async def history(self, job_ids: Sequence[str]) -> Sequence[HistoryEntry]:
        known = {entry.job.id: entry for entry in self.ended}
        return [known[job_id] for job_id in job_ids if job_id in known]

    async def delete_history(self, job_ids: Iterable[str]) -> int:
        before, ids = len(self.ended), set(job_ids)
        self.ended = [entry for entry in self.ended if entry.job.id not in ids]
        return before - len(self.ended)

    async def clear_history(self) -> int:
        count, self.ended = len(self.ended), []
        return count

    def free(self, unload_models: bool, free_memory: bool) -> None:
        self.freed.append((unload_models, free_memory))

    async def device_stats(self) -> Mapping[str, Any]:
        return self.devices

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)
