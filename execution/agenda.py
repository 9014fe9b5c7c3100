"""What a job still needs: the nodes that are to run, and the results that are still to be read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from execution.cache import Result
from execution.dynamic import DynamicGraph
from execution.graph import Link, Node, NodeId, needed, ordered
from execution.kinds import Kind, urgencies
from execution.plan import Plan


class Agenda:
    """Plans nodes when they are needed, and lets a result go when the last node that may read it has finished.

    `recall` finds the result of a node that has run before, if it is still somewhere.
    """

    def __init__(
        self, graph: DynamicGraph, kinds: Mapping[str, Kind], recall: Callable[[NodeId], Result | None]
    ) -> None:
        self._graph = graph
        self._kinds = kinds
        self._recall = recall
        self._plan = Plan()
        self._readers: dict[NodeId, int] = {}
        self._reading: dict[NodeId, list[NodeId]] = {}
        self.results: dict[NodeId, Result] = {}

    def __contains__(self, node_id: object) -> bool:
        """Whether the node needs no planning: its result is there or will be."""
        if node_id in self.results or node_id in self._plan:
            return True
        if not isinstance(node_id, str) or (found := self._recall(node_id)) is None:
            return False
        self.results[node_id] = found
        return True

    def __len__(self) -> int:
        return len(self._plan)

    def begin(self, targets: Sequence[NodeId], order: Sequence[NodeId], known: Mapping[NodeId, Result]) -> None:
        """Plan the targets. `known` results need not be made; `order` is all that the targets may need beyond them."""
        self.results.update(known)
        self.expect(order)
        if any(self._kinds[self._graph[node_id].type].lazy for node_id in order):
            self.want(target for target in targets if target not in known)
        else:
            self._plan_all(order)
        for node_id in known:
            if node_id not in self._readers:
                self.results.pop(node_id, None)

    def expect(self, node_ids: Iterable[NodeId]) -> None:
        """Keep what these nodes read until they have finished, or are known not to run."""
        for node_id in node_ids:
            if node_id not in self._reading:
                node = self._graph[node_id]
                sources = [link.source for link in node.links()]
                if self._kinds[node.type].looks_around:
                    sources += needed(self._graph, sources)
                self._reading[node_id] = []
                self.read_also(node_id, sources)

    def want(self, roots: Iterable[NodeId]) -> None:
        """Plan these nodes, with all that must run before them."""
        order = ordered(self._graph, roots, self, self._strong_links)
        self.expect(order)
        self._plan_all(order)

    def _plan_all(self, order: Sequence[NodeId]) -> None:
        urgency = urgencies(self._graph, order, self._kinds)
        for node_id in order:
            sources = (link.source for link in self._strong_links(self._graph[node_id]))
            self._plan.add(node_id, urgency[node_id], sources)

    def want_for(self, reader: NodeId, sources: Sequence[NodeId]) -> None:
        """Plan these nodes, and have the reader, which is not ready now, come again once they have run."""
        self.want(sources)
        self._plan.wait(reader, sources)

    def read_also(self, reader: NodeId, sources: Sequence[NodeId]) -> None:
        """Keep results for a node beyond those that it is linked to."""
        self._reading[reader] += sources
        for source in sources:
            self._readers[source] = self._readers.get(source, 0) + 1

    def readers(self, node_id: NodeId) -> int:
        """How many links may still read the node."""
        return self._readers.get(node_id, 0)

    def pop(self) -> NodeId | None:
        """Take the next node that can run. None: all others wait for what has been taken."""
        return self._plan.pop()

    def finish(self, node_id: NodeId, result: Result | None) -> list[NodeId]:
        """Note a node's result (None: others have taken its place in reading); returns expanded nodes that are gone."""
        if result is not None and node_id in self._readers:
            self.results[node_id] = result
        self._plan.finish(node_id)
        return self._stop_reading(node_id)

    def skip(self, node_id: NodeId) -> list[NodeId]:
        """Note that an expanded node need not run; returns those that are gone."""
        if node_id not in self._readers:
            self.results.pop(node_id, None)
        return self._graph.release(node_id)

    def drop_reader(self, reader: NodeId, source: NodeId) -> None:
        """Note that a node will not read another after all, however often it wanted to."""
        kept = [one for one in self._reading[reader] if one != source]
        for _ in range(len(self._reading[reader]) - len(kept)):
            self._drop(source)
        self._reading[reader] = kept

    def _stop_reading(self, node_id: NodeId) -> list[NodeId]:
        """Let go of what only this node was to read, and of what only nodes were to read that now never run."""
        gone: list[NodeId] = []
        stopped = [node_id]
        while stopped:
            one = stopped.pop()
            if one not in self._reading:
                continue
            for source in self._reading.pop(one):
                if self._drop(source) and source not in self._plan:
                    stopped.append(source)
            gone += self._graph.release(one)
        return gone

    def _drop(self, source: NodeId) -> bool:
        """Note one reader less; says whether it was the last."""
        left = self._readers.pop(source) - 1
        if left:
            self._readers[source] = left
        else:
            self.results.pop(source, None)
        return not left

    def _strong_links(self, node: Node) -> Iterator[Link]:
        return self._kinds[node.type].strong_links(node)
