"""Jobs and their events as rows of the store: what is written as JSON, and how it is read back."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from execution.engine import HistoryEntry, Job
from execution.events import Kept
from execution.json_text import JsonText

SECRETS = frozenset({"auth_token_comfy_org", "api_key_comfy_org"})
"""Extra data that is given to nodes but never written to disk."""

KEPT_EVENTS = {kind.__name__: kind for kind in get_args(Kept)}
JOB_COLUMNS = "id, number, graph, targets, extra_data, client_id, state, created, started, ended, attempt, digest"


def job_row(job: Job) -> tuple[Any, ...]:
    """The values of JOB_COLUMNS."""
    return (
        job.id, job.number, job.graph.text, JsonText.of(job.targets).text, job.extra_data.text, job.client_id,
        job.state, job.created, job.started, job.ended, job.attempt, job.digest,
    )  # fmt: skip


def job_of(row: tuple[Any, ...]) -> Job:
    """The job of a row that begins with JOB_COLUMNS."""
    id, number, graph, targets, extra_data, client_id, state, created, started, ended, attempt, digest = row[:12]
    return Job(
        id, number, JsonText(graph), tuple(json.loads(targets)), JsonText(extra_data), client_id, state,
        created, started, ended, attempt, digest,
    )  # fmt: skip


def entry_of(row: tuple[Any, ...]) -> HistoryEntry:
    """The entry of a row of JOB_COLUMNS, outputs and events."""
    return HistoryEntry(job_of(row), json.loads(row[12]), tuple(_event_of(one) for one in json.loads(row[13])))


def outputs_text(outputs: Mapping[str, Any]) -> str:
    """What nodes showed, in ASCII: file names and messages may hold halves of surrogate pairs."""
    return json.dumps(outputs, allow_nan=False)


def events_text(events: tuple[Kept, ...]) -> str:
    """The events that tell a job's life."""
    return json.dumps([{"kind": type(event).__name__, **_fields(event)} for event in events], allow_nan=False)


def _fields(event: Kept) -> dict[str, Any]:
    """Not copied, as asdict does: an event may name thousands of nodes."""
    return {field.name: getattr(event, field.name) for field in fields(event)}


def _event_of(data: dict[str, Any]) -> Kept:
    told: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return KEPT_EVENTS[told.pop("kind")](**told)
