"""The graph of a job while it runs: the nodes that were queued, and those into which nodes have expanded."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from execution.events import Origin
from execution.graph import Node, NodeId


class DynamicGraph(Mapping[NodeId, Node]):
    """Nodes by id. Queued nodes stay; expanded ones go when they have finished and nothing that is left reads them,
    so that a loop of a thousand rounds holds two of them at a time."""

    def __init__(self) -> None:
        self._nodes: dict[NodeId, Node] = {}
        self._origins: dict[NodeId, Origin] = {}
        self._uses: Counter[NodeId] = Counter()

    def __getitem__(self, node_id: NodeId) -> Node:
        return self._nodes[node_id]

    def __iter__(self) -> Iterator[NodeId]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def queue(self, nodes: Mapping[NodeId, Node]) -> None:
        """Take the graph as it was queued."""
        self._nodes.update(nodes)

    def origin(self, node_id: NodeId) -> Origin | None:
        """Where an expanded node comes from; None for a queued one."""
        return self._origins.get(node_id)

    def root(self, node_id: NodeId) -> NodeId:
        """The queued node that the errors of this one are told of: the one it is shown as, if that was queued."""
        origin = self._origins.get(node_id)
        if origin is None:
            return node_id
        return origin.display if origin.display in self._nodes else origin.real

    def expand(self, parent: NodeId, nodes: Iterable[Node], displays: Mapping[NodeId, NodeId]) -> None:
        """Add what a node has expanded into; `displays` names other nodes than the parent to show some of them as."""
        added = list(nodes)
        above = self._origins.get(parent)
        real = parent if above is None else above.real
        for node in added:
            display = displays.get(node.id, parent)
            shown = self._origins.get(display)
            self._origins[node.id] = Origin(parent, display if shown is None else shown.display, real)
            self._nodes[node.id] = node
            self._uses[node.id] += 1
        for node in added:
            self._uses.update(link.source for link in node.links() if link.source in self._origins)

    def release(self, node_id: NodeId) -> list[NodeId]:
        """Note that a node has finished, or never will run; returns the nodes that are gone now."""
        gone: list[NodeId] = []
        released = [node_id]
        while released:
            one = released.pop()
            if one not in self._origins:
                continue
            self._uses[one] -= 1
            if not self._uses[one]:
                gone.append(one)
                del self._uses[one], self._origins[one]
                released.extend(link.source for link in self._nodes.pop(one).links())
        return gone
