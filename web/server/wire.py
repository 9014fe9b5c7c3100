"""Translates what the engine tells into the messages that ComfyUI's clients expect."""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from execution import events
from execution.engine import WorkerStatus
from web.server import strict_json

PREVIEW_IMAGE, PREVIEW_IMAGE_WITH_METADATA = 1, 4  # kinds of binary frames
FORMATS: Mapping[str, int] = {"jpeg": 1, "png": 2}  # of the picture in a PREVIEW_IMAGE frame


@dataclass(frozen=True, slots=True)
class Message:
    """A text frame. One that `supersedes` another of the same name makes it needless if that has not been sent."""

    type: str
    data: Mapping[str, Any]
    everyone: bool = False
    supersedes: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A binary frame with a picture: a JPEG of what a node is making, or a PNG that the client is meant to keep."""

    job_id: str
    node_id: str
    picture: bytes
    origin: events.Origin | None = None
    format: Literal["jpeg", "png"] = "jpeg"

    @property
    def supersedes(self) -> str | None:
        return f"preview {self.job_id} {self.node_id}" if self.format == "jpeg" else None


@dataclass(frozen=True, slots=True)
class NodeState:
    """How far one node of a running job is, and where it comes from if it was not queued."""

    state: Literal["running", "finished", "error"]
    value: float
    maximum: float
    origin: events.Origin | None = None


Progress = Mapping[str, NodeState]


@dataclass(frozen=True, slots=True)
class ProgressState:
    """A text frame that tells how all nodes of a job are when it is sent; written out only then, as it may be long.

    A `partial` one tells of some nodes, and is needed even if another follows.
    """

    job_id: str
    progress: Progress
    partial: bool = False

    @property
    def supersedes(self) -> str | None:
        return None if self.partial else f"progress_state {self.job_id}"

    @property
    def message(self) -> Message:
        nodes = {
            node_id: {
                "value": node.value,
                "max": node.maximum,
                "state": node.state,
                "prompt_id": self.job_id,
                **_places(node_id, node.origin),
            }
            for node_id, node in self.progress.items()
        }
        return Message("progress_state", {"prompt_id": self.job_id, "nodes": nodes})


Frame = Message | ProgressState | Preview


def advance(progress: dict[str, NodeState], event: events.Event) -> None:
    """Note what an event changes in the progress of its job; in place, as a large graph has as many events as nodes."""
    match event:
        case events.NodeStarted(node_id=node_id, origin=origin):
            progress[node_id] = NodeState("running", 0, 1, origin)
        case events.NodeProgress(node_id=node_id, value=value, maximum=maximum, origin=origin):
            progress[node_id] = NodeState("running", value, maximum, origin)
        case events.NodeFinished(node_id=node_id, origin=events.Origin()):
            # What a loop has made by the thousand is not told for ever.
            progress.pop(node_id, None)
        case events.NodeFinished(node_id=node_id):
            maximum = progress[node_id].maximum if node_id in progress else 1
            progress[node_id] = NodeState("finished", maximum, maximum)
        case events.JobFailed(node_id=str(node_id)):
            progress[node_id] = NodeState("error", 0, 1)


def translate(event: events.Event, progress: Progress) -> list[Frame]:
    """What clients are told of an event; `progress` is that of its job, the event included."""
    match event:
        case events.QueueChanged() | events.WorkerChanged() | events.NoticesChanged() | events.ClientMessage():
            return [_general(event)]
        case events.NodeStarted():
            return [ProgressState(event.job_id, progress), executing(event)]
        case events.NodeBlocked():
            return [_blocked(event)]
        case events.NodeProgress():
            return [ProgressState(event.job_id, progress), _step(event)]
        case events.NodePreview():
            return [preview(event)]
        case events.NodePicture():
            return [Preview(event.job_id, event.node_id, event.png, event.origin, "png")]
        case events.NodeFinished(ui=ui):
            return [*([] if ui is None else [_executed(event, ui)]), ProgressState(event.job_id, progress)]
        case events.JobFailed(node_id=str()):
            return [ProgressState(event.job_id, progress), milestone(event)]
        case events.JobEnded(job_id=job_id):
            return [Message("executing", {"node": None, "prompt_id": job_id})]
        case _:
            return [milestone(event)]


def _general(
    event: events.QueueChanged | events.WorkerChanged | events.NoticesChanged | events.ClientMessage,
) -> Message:
    """The message of an event that belongs to no job."""
    match event:
        case events.QueueChanged(remaining=remaining):
            return status(remaining)
        case events.WorkerChanged(state=state, detail=detail):
            return worker(WorkerStatus(state, detail))
        case events.NoticesChanged(found):
            return notices(found)
        case events.ClientMessage(type, data, client_id):
            return Message(type, data, everyone=client_id is None)


def milestone(event: events.JobStarted | events.NodesCached | events.Outcome) -> Message:
    """The message of an event that the history remembers as well."""
    data: dict[str, Any] = {"prompt_id": event.job_id, "timestamp": event.timestamp}
    match event:
        case events.JobStarted():
            return Message("execution_start", data)
        case events.NodesCached(nodes=nodes):
            return Message("execution_cached", {"nodes": list(nodes), **data})
        case events.JobSucceeded():
            return Message("execution_success", data)
        case events.JobInterrupted():
            return Message("execution_interrupted", {**data, **_blame(event)}, everyone=True)
        case events.JobFailed():
            details = {
                "exception_message": event.message,
                "exception_type": event.exception_type,
                "traceback": list(event.traceback),
                "current_inputs": {name: [text] for name, text in event.current_inputs.items()},
                "current_outputs": list(event.executed),
            }
            return Message("execution_error", {**data, **_blame(event), **details})


def _blame(event: events.JobFailed | events.JobInterrupted) -> dict[str, Any]:
    return {"node_id": event.node_id, "node_type": event.node_type, "executed": list(event.executed)}


def status(remaining: int, sid: str | None = None) -> Message:
    data = {"status": {"exec_info": {"queue_remaining": remaining}}}
    return Message("status", data if sid is None else {**data, "sid": sid}, everyone=True)


def worker(status: WorkerStatus) -> Message:
    return Message("worker", {"state": status.state, "detail": status.detail}, everyone=True)


def notices(found: Sequence[events.Notice]) -> Message:
    told = [{"kind": notice.kind, "message": notice.message} for notice in found]
    return Message("notices", {"notices": told}, everyone=True, supersedes="notices")


def executing(event: events.NodeStarted) -> Message:
    data = {"node": event.node_id, "display_node": _shown_as(event), "prompt_id": event.job_id}
    return Message("executing", data)


def preview(event: events.NodePreview) -> Preview:
    return Preview(event.job_id, event.node_id, event.jpeg, event.origin)


def _shown_as(event: events.NodeStarted | events.NodeFinished) -> str:
    return event.node_id if event.origin is None else event.origin.display


def _places(node_id: str, origin: events.Origin | None) -> dict[str, str | None]:
    """A node, and the ones it stands for: itself, unless another has expanded into it."""
    origin = origin or events.Origin("", node_id, node_id)
    return {
        "node_id": node_id,
        "display_node_id": origin.display,
        "parent_node_id": origin.parent or None,
        "real_node_id": origin.real,
    }


def _blocked(event: events.NodeBlocked) -> Message:
    """A node that is kept from running looks like one that has failed, as other clients know only that."""
    data = {
        "prompt_id": event.job_id,
        "node_id": event.node_id,
        "node_type": event.node_type,
        "executed": list(event.executed),
        "exception_message": f"Execution Blocked: {event.message}",
        "exception_type": "ExecutionBlocked",
        "traceback": [],
        "current_inputs": [],
        "current_outputs": [],
        "timestamp": event.timestamp,
    }
    return Message("execution_error", data)


def _step(event: events.NodeProgress) -> Message:
    data = {"value": event.value, "max": event.maximum, "prompt_id": event.job_id, "node": event.node_id}
    return Message("progress", data, supersedes=f"progress {event.job_id} {event.node_id}")


def _executed(event: events.NodeFinished, ui: Mapping[str, Any]) -> Message:
    data = {"node": event.node_id, "display_node": _shown_as(event), "output": ui, "prompt_id": event.job_id}
    return Message("executed", data)


def text_frame(frame: Message | ProgressState) -> str:
    message = frame.message if isinstance(frame, ProgressState) else frame
    return strict_json.dumps({"type": message.type, "data": message.data})


def preview_frame(preview: Preview, with_metadata: bool) -> bytes:
    """Big-endian: the kind of frame, then either the picture's format or the length of a JSON header and the header."""
    if not with_metadata:
        return struct.pack(">II", PREVIEW_IMAGE, FORMATS[preview.format]) + preview.picture
    header = {
        "prompt_id": preview.job_id,
        **_places(preview.node_id, preview.origin),
        "image_type": f"image/{preview.format}",
    }
    encoded = json.dumps(header).encode()
    return struct.pack(">II", PREVIEW_IMAGE_WITH_METADATA, len(encoded)) + encoded + preview.picture
