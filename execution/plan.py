"""What is still to run, what each of it waits for, and what of it can run now."""

import heapq
from collections.abc import Iterable, Mapping
from itertools import count

from execution.graph import NodeId


class Plan:
    """The unfinished nodes of a run. Among those that can run the most urgent comes first, then the first added."""

    def __init__(self) -> None:
        self._places: dict[NodeId, tuple[int, int]] = {}
        self._missing: dict[NodeId, int] = {}
        self._waiting: dict[NodeId, list[NodeId]] = {}
        self._ready: list[tuple[int, int, NodeId]] = []
        self._numbers = count()

    def __contains__(self, node_id: object) -> bool:
        return node_id in self._places

    def __len__(self) -> int:
        return len(self._places)

    def add(self, node_id: NodeId, urgency: int, sources: Iterable[NodeId]) -> None:
        """Plan a node that can run once these sources have; those not in the plan are there already."""
        self._places[node_id] = (urgency, next(self._numbers))
        self.wait(node_id, sources)

    def wait(self, node_id: NodeId, sources: Iterable[NodeId]) -> None:
        """Have a node of the plan that is not ready come (again) when these sources have finished."""
        missing = 0
        for source in sources:
            if source in self._places:
                missing += 1
                self._waiting.setdefault(source, []).append(node_id)
        if missing:
            self._missing[node_id] = missing
        else:
            self._make_ready(node_id)

    def pop(self) -> NodeId | None:
        """Take the next node that can run; it stays in the plan until it has finished. None: all others wait."""
        return heapq.heappop(self._ready)[2] if self._ready else None

    def finish(self, node_id: NodeId) -> None:
        """Take a node out, and let what waits for it come nearer."""
        del self._places[node_id]
        for reader in self._waiting.pop(node_id, ()):
            self._missing[reader] -= 1
            if not self._missing[reader]:
                del self._missing[reader]
                self._make_ready(reader)

    def blocked(self) -> Mapping[NodeId, int]:
        """The nodes that wait, and for how many others."""
        return self._missing

    def _make_ready(self, node_id: NodeId) -> None:
        heapq.heappush(self._ready, (*self._places[node_id], node_id))
