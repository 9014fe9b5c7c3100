"""Jobs and their events as rows of the store: what is written as JSON, and how it is read back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from execution.engine import HistoryEntry, Job
from execution.events import Event, JobFailed, JobInterrupted, JobStarted, JobSucceeded, NodesCached

SECRETS = frozenset({"auth_token_comfy_org", "api_key_comfy_org"})
"""Extra data that is given to nodes but never written to disk."""

KEPT_EVENTS = {kind.__name__: kind for kind in (JobStarted, NodesCached, JobSucceeded, JobFailed, JobInterrupted)}
JOB_COLUMNS = "id, number, graph, targets, extra_data, client_id, state, created, started, ended, attempt"


def job_row(job: Job) -> tuple[Any, ...]:
    """The values of JOB_COLUMNS."""
    extra_data = {name: value for name, value in job.extra_data.items() if name not in SECRETS}
    return (
        job.id, job.number, _text(job.graph), _text(job.targets), _text(extra_data), job.client_id, job.state,
        job.created, job.started, job.ended, job.attempt,
    )  # fmt: skip


def job_of(row: tuple[Any, ...]) -> Job:
    """The job of a row that begins with JOB_COLUMNS."""
    id, number, graph, targets, extra_data, client_id, state, created, started, ended, attempt = row[:11]
    return Job(
        id, number, json.loads(graph), tuple(json.loads(targets)), json.loads(extra_data), client_id, state,
        created, started, ended, attempt,
    )  # fmt: skip


def entry_of(row: tuple[Any, ...]) -> HistoryEntry:
    """The entry of a row of JOB_COLUMNS, outputs and events."""
    return HistoryEntry(job_of(row), json.loads(row[11]), tuple(_event_of(one) for one in json.loads(row[12])))


def outputs_text(outputs: Mapping[str, Mapping[str, Any]]) -> str:
    return _text(outputs)


def events_text(events: tuple[Event, ...]) -> str:
    """The events that tell a job's life."""
    return _text([{"kind": type(event).__name__, **asdict(event)} for event in events])


def _event_of(data: dict[str, Any]) -> Event:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return KEPT_EVENTS[fields.pop("kind")](**fields)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
