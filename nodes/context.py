"""What a running node may ask of the engine, beside its inputs. A parameter of this type draws no socket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from nodes.paths import Paths

T = TypeVar("T")


class InterruptedByUserError(Exception):
    """The job was told to stop; raised inside the node that runs."""


class Services:
    """Long-lived objects of one worker (loaded models, device policy), made on first use and shared by its nodes."""

    def __init__(self) -> None:
        self._made: dict[type, Any] = {}
        self._given: dict[type, Any] = {}

    def give(self, kind: type[T], one: T) -> None:
        """Sets the worker's one object of this kind, which stays."""
        self._given[kind] = one

    def get(self, kind: type[T], make: Callable[[], T]) -> T:
        """Returns the worker's one object of this kind, making it if there is none."""
        if kind in self._given:
            return self._given[kind]
        if kind not in self._made:
            self._made[kind] = make()
        return self._made[kind]

    def forget(self) -> None:
        """Lets go of all objects that were made; they are made again when they are next asked for."""
        self._made.clear()


@dataclass(frozen=True)
class WorkerSettings:
    """Flags of the command line that nodes obey.

    Without `custom_nodes` no packs are loaded but those that are `custom_nodes_wanted` by name. The server is at the
    address and port `served_at`.
    """

    cpu: bool = False
    force_fp32: bool = False
    force_fp16: bool = False
    vram: Literal["normal", "high", "low", "none"] = "normal"
    reserve_vram: float = 0.0
    preview_method: str = "auto"
    disable_metadata: bool = False
    custom_nodes: bool = True
    custom_nodes_wanted: tuple[str, ...] = ()
    served_at: tuple[str, int] = ("127.0.0.1", 8188)


@dataclass(frozen=True)
class BegunJob:
    """A job that a worker has begun, and the client that has queued it."""

    id: str
    client_id: str | None


@dataclass(frozen=True)
class Home:
    """The worker that nodes are loaded into.

    `tell(type, data, client_id)` sends a message to a client, or to all. Packs that are `left_out`, by name and with
    the reason, are not loaded; `loading(pack)` is told before the code of each of the others runs, and "" at the end.
    `last_job()` is the job that runs, or has run last; `interrupt()` stops it if it runs.
    """

    paths: "Paths"
    settings: WorkerSettings
    services: Services
    tell: Callable[[str, Any, str | None], None] = lambda type, data, client_id: None
    left_out: Mapping[str, str] = field(default_factory=dict)
    loading: Callable[[str], None] = lambda pack: None
    last_job: Callable[[], BegunJob | None] = lambda: None
    interrupt: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Context:
    """One node's view of the job it runs in.

    `graph` is the job's graph in API format and `extra_pnginfo` what the client wants saved with pictures (the
    workflow). `progress(value, maximum, preview)` tells how far the node is, with a JPEG or None, and raises
    InterruptedByUserError once the job is to stop; `check` only raises. `send_picture` gives a PNG to the client that
    has queued the job, and to nobody else. A node that expands into a graph may begin
    the ids of its nodes with `new_ids`, which no other node's do; the engine puts it before those that do not. A node
    that runs for each item of a list is in the call of this `call_number`.
    """

    node_id: str
    paths: "Paths"
    settings: WorkerSettings
    services: Services
    graph: Mapping[str, Any] = field(default_factory=dict)
    extra_pnginfo: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[float, float, bytes | None], None] = lambda value, maximum, preview: None
    send_picture: Callable[[bytes], None] = lambda png: None
    check: Callable[[], None] = lambda: None
    new_ids: str = ""
    job_id: str = ""
    call_number: int = 0
