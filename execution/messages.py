"""What the server and its worker process say to each other over their private pipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from execution.cache import CacheSettings
from execution.devices import Device
from execution.engine import Catalog, Problem
from execution.events import Event
from execution.json_text import JsonText
from nodes.context import WorkerSettings
from nodes.paths import Paths
from nodes.spec import NodeSpec

BUILTIN_HOST = "nodes.host:load"


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """All that a worker is told before it starts. `host` names the function that loads nodes, "module:function".

    `device` is the one GPU that it sees (None: whatever there is); `threads` how many processors it computes on
    (0: as many as its libraries like). Lines of less than `log_level` are not logged. Packs that are `left_out`, by
    name and with the reason, are not loaded.
    """

    paths: Paths
    settings: WorkerSettings = field(default_factory=WorkerSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    host: str = BUILTIN_HOST
    device: Device | None = None
    threads: int = 0
    log_level: str = "INFO"
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Begin:
    """Run a job: its graph in API format and its extra data are read by the worker alone."""

    job_id: str
    client_id: str | None
    graph: JsonText
    targets: tuple[str, ...]
    extra_data: JsonText
    secrets: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop this job if it runs."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Free:
    """Give memory back once no job runs."""

    unload_models: bool
    free_memory: bool


@dataclass(frozen=True, slots=True)
class AskStats:
    """Tell how the devices are; the number comes back with the answer."""

    number: int


@dataclass(frozen=True, slots=True)
class AskChanges:
    """Ask nodes whose inputs list files for them again; the number comes back with the answer."""

    number: int


@dataclass(frozen=True, slots=True)
class AskChecks:
    """Ask these nodes of a graph what they say of their inputs; the number comes back with the answer."""

    number: int
    graph: JsonText
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """End once no job runs."""


Command = Begin | Interrupt | Free | AskStats | AskChanges | AskChecks | Stop


@dataclass(frozen=True, slots=True)
class Loading:
    """The code of this pack runs now, as it is loaded; without a name, all have been."""

    pack: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded its nodes and takes jobs."""

    catalog: Catalog


@dataclass(frozen=True, slots=True)
class BootFailed:
    """The worker cannot load its nodes, and ends."""

    reason: str


@dataclass(frozen=True, slots=True)
class Events:
    """What has happened since the last time, in order."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """The answer to AskStats."""

    number: int
    devices: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """The answer to AskChanges: the nodes that declare themselves otherwise than before."""

    number: int
    specs: Mapping[str, NodeSpec]


@dataclass(frozen=True, slots=True)
class Checks:
    """The answer to AskChecks: what is wrong, by node."""

    number: int
    problems: Mapping[str, tuple[Problem, ...]]


Report = Loading | Ready | BootFailed | Events | Stats | Changes | Checks
