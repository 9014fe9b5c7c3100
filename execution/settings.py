"""Where an engine works, and its limits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from execution.files import Files
from execution.graph import GraphLimits

QUEUE_LIMIT = 5_000
HISTORY_LIMIT = 10_000
INTERRUPT_GRACE = 30.0  # seconds
PACK_TIMEOUT = 120.0  # seconds

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
"""Of the lines that server and workers log."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where the queue lies and how much it takes.

    At most `queue_limit` jobs wait, and `history_limit` are remembered, the oldest forgotten first. `interrupt_grace`
    is how many seconds a node has to notice that its job was stopped, `node_timeout` how many it may give no sign of
    life, `pack_timeout` how many a pack may take to load (0: as many as it likes). `when_alone` is called before the
    workers start, once no other engine can use the base directory.
    """

    base: Path
    database: Path
    files: Files
    queue_limit: int = QUEUE_LIMIT
    history_limit: int = HISTORY_LIMIT
    interrupt_grace: float = INTERRUPT_GRACE
    node_timeout: float = 0.0
    pack_timeout: float = PACK_TIMEOUT
    graph_limits: GraphLimits = field(default_factory=GraphLimits)
    when_alone: Callable[[], None] = lambda: None
