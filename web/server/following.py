"""What a client is told of its running job: everything of a small one, what a person can follow of a large one."""

import math
from collections.abc import Callable

from execution import events
from web.server import wire

MANY_NODES = 100
"""Nodes after which a job counts as large. Before that each is told by itself, as every client expects."""

SECONDS_BETWEEN_NODES = 0.05
"""How often the client of a large job is told which node runs. Quicker ones come and go unnamed."""

SECONDS_BETWEEN_STATES = 0.25
"""How often it is told how nodes are: each time those that have changed."""


class FollowedJob:
    """A running job as its client knows it. What is held back is given by `due`, which is to be asked for it."""

    def __init__(self, job_id: str, clock: Callable[[], float]) -> None:
        self._job_id = job_id
        self._clock = clock
        self._progress: dict[str, wire.NodeState] = {}
        self._node: events.NodeStarted | None = None
        self._preview: wire.Preview | None = None
        self._started = 0
        self._held: events.NodeStarted | None = None
        self._changed: set[str] = set()
        self._node_told = self._states_told = -math.inf

    @property
    def client_id(self) -> str | None:
        """Whose job it is, as soon as one of its nodes has started."""
        return self._node.client_id if self._node is not None else None

    @property
    def holds_back(self) -> bool:
        return self._held is not None or bool(self._changed)

    def frames(self, event: events.OfJob) -> list[wire.Frame]:
        """What is sent of an event, with what was held back before it."""
        wire.advance(self._progress, event)
        match event:
            case events.NodeStarted():
                self._node, self._preview = event, None
                self._started += 1
            case events.NodePreview():
                self._preview = wire.preview(event)
        return wire.translate(event, self._progress) if self._started <= MANY_NODES else self._thinned(event)

    def due(self) -> list[wire.Frame]:
        """What was held back and may be sent now."""
        found: list[wire.Frame] = []
        now = self._clock()
        if self._changed and now - self._states_told >= SECONDS_BETWEEN_STATES:
            found += self._states()
        if self._held is not None and now - self._node_told >= SECONDS_BETWEEN_NODES:
            found += self._named()
        return found

    def resumed(self) -> list[wire.Frame]:
        """Where the job is, for a client that comes back."""
        if self._node is None:
            return []
        preview = [] if self._preview is None else [self._preview]
        return [wire.executing(self._node), wire.ProgressState(self._job_id, self._progress), *preview]

    def _thinned(self, event: events.OfJob) -> list[wire.Frame]:
        match event:
            case events.NodeStarted(node_id=node_id):
                self._changed.add(node_id)
                self._held = event
                return self.due()
            case events.NodeFinished(node_id=node_id, ui=None):
                self._changed.add(node_id)
                if self._held is not None and self._held.node_id == node_id:
                    self._held = None
                return self.due()
            case events.NodeProgress(node_id=node_id) | events.NodeFinished(node_id=node_id):
                self._changed.add(node_id)
            case events.JobSucceeded() | events.JobFailed() | events.JobInterrupted():
                self._states_told = -math.inf
            case _:
                pass
        told = [one for one in wire.translate(event, self._progress) if not isinstance(one, wire.ProgressState)]
        return [*self._named(), *self.due(), *told]

    def _named(self) -> list[wire.Frame]:
        if self._held is None:
            return []
        self._node_told = self._clock()
        held, self._held = self._held, None
        return [wire.executing(held)]

    def _states(self) -> list[wire.Frame]:
        self._states_told = self._clock()
        changed, self._changed = self._changed, set()
        states = {node_id: self._progress[node_id] for node_id in changed if node_id in self._progress}
        return [wire.ProgressState(self._job_id, states, partial=True)] if states else []
