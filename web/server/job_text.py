"""Jobs as /queue and /history show them, written as text: what lies on disk as JSON is not read to be written again."""

from typing import Any

from execution import events
from execution.engine import HistoryEntry, Job
from web.server import wire
from web.server.strict_json import dumps

_REMEMBERED = events.JobStarted | events.NodesCached | events.JobSucceeded | events.JobFailed | events.JobInterrupted


def queue_item(job: Job) -> str:
    """[number, id, graph, extra data, outputs that run]."""
    return f"[{job.number!r},{dumps(job.id)},{job.graph.text},{job.extra_data.text},{dumps(list(job.targets))}]"


def history_member(entry: HistoryEntry) -> str:
    """A finished job by its id, as a member of an object."""
    return f'{dumps(entry.job.id)}:{{"prompt":{queue_item(entry.job)},{dumps(_told(entry))[1:]}'


def _told(entry: HistoryEntry) -> dict[str, Any]:
    places = {event.node_id: event for event in entry.events if isinstance(event, events.NodePlaced)}
    told = [wire.milestone(event) for event in entry.events if isinstance(event, _REMEMBERED)]
    return {
        "outputs": entry.outputs,
        "status": {
            "status_str": "success" if entry.job.state == "succeeded" else "error",
            "completed": entry.job.state == "succeeded",
            "messages": [[message.type, message.data] for message in told],
        },
        "meta": {node_id: _place(node_id, places.get(node_id)) for node_id in entry.outputs},
    }


def _place(node_id: str, placed: events.NodePlaced | None) -> dict[str, str | None]:
    """A node whose output is kept, and the ones that it stands for."""
    if placed is None:
        return {"node_id": node_id, "display_node": node_id, "parent_node": None, "real_node_id": node_id}
    return {
        "node_id": node_id,
        "display_node": placed.display,
        "parent_node": placed.parent,
        "real_node_id": placed.real,
    }
