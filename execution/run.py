"""A job as its worker is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from execution.graph import NodeId
from execution.json_text import JsonText
from nodes.context import WorkerSettings


@dataclass(frozen=True, slots=True)
class Run:
    """A validated graph on its way to an executor; `secrets` belong to its extra data."""

    job_id: str
    client_id: str | None
    graph: JsonText
    targets: tuple[NodeId, ...]
    extra_data: JsonText = field(default_factory=lambda: JsonText.of({}))
    secrets: Mapping[str, Any] = field(default_factory=dict[str, Any])


PREVIEW_METHODS = ("none", "auto", "latent2rgb", "taesd")


def settings_for(extra_data: Mapping[str, Any], settings: WorkerSettings) -> WorkerSettings:
    """The worker's settings, with previews as the job asks for them (`preview_method` in its extra data)."""
    method = extra_data.get("preview_method")
    return replace(settings, preview_method=method) if method in PREVIEW_METHODS else settings
