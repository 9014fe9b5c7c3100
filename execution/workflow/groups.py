"""Group nodes as old documents hold them (`extra.groupNodes`): the inside of one, drawn as that of a subgraph."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from execution.workflow.document import (
    SUBGRAPH_INPUT,
    SUBGRAPH_OUTPUT,
    Drawing,
    DrawnLink,
    DrawnNode,
    WorkflowError,
    node_of,
    object_of,
    objects_of,
)

PREFIXES = ("workflow/", "workflow>")
"""What stands before the name of a group in the type of its nodes."""

Place = tuple[str, int]
"""An input or output slot of an inner node, which is known by its index."""


@dataclass(frozen=True, slots=True)
class Group:
    """What all nodes of one group have in common: inner nodes by index, which slot feeds which, and what is hidden."""

    name: str
    nodes: Mapping[str, DrawnNode]
    feeds: Mapping[Place, Place]
    shown_outside: frozenset[Place]
    hidden_inputs: frozenset[tuple[str, str]]
    hidden_outputs: frozenset[Place]

    def inside(self, instance: DrawnNode) -> Drawing:
        """The drawing inside one node of the group, with that node's values. Raises WorkflowError."""
        ends: dict[Place, DrawnLink] = {}
        for place, (source, slot) in self.feeds.items():
            ends[place] = DrawnLink(source, slot, *place)
        for number, place in enumerate(self._open_inputs()):
            ends[place] = DrawnLink(SUBGRAPH_INPUT, number, *place)
        numbers = {place: number for number, place in enumerate(ends)}
        nodes = {
            index: replace(
                node,
                inputs=tuple(replace(one, link=numbers.get((index, slot))) for slot, one in enumerate(node.inputs)),
            )
            for index, node in self._valued(instance).items()
        }
        results = {
            number: DrawnLink(*place, SUBGRAPH_OUTPUT, number) for number, place in enumerate(self._open_outputs())
        }
        return Drawing(nodes, {numbers[place]: link for place, link in ends.items()}, results=results)

    def _open_inputs(self) -> Iterator[Place]:
        """The inner inputs that the node shows, in its order: sockets first, then widgets that became inputs."""
        for is_widget in (False, True):
            for index, node in self.nodes.items():
                for slot, one in enumerate(node.inputs):
                    is_open = (index, slot) not in self.feeds and (index, one.name) not in self.hidden_inputs
                    if is_open and (one.widget is not None) == is_widget:
                        yield index, slot

    def _open_outputs(self) -> Iterator[Place]:
        """The inner outputs that the node shows: those that nothing inside reads, or that somebody outside did."""
        read = set(self.feeds.values())
        for index, node in self.nodes.items():
            for slot in range(len(node.outputs)):
                place = index, slot
                if place not in self.hidden_outputs and (place not in read or place in self.shown_outside):
                    yield place

    def _valued(self, instance: DrawnNode) -> dict[str, DrawnNode]:
        """The inner nodes with the values of the instance, which holds those of one after the other."""
        lengths = {index: len(node.values) for index, node in self.nodes.items()}
        values = instance.values
        if not values:
            return dict(self.nodes)
        if not isinstance(values, list) or sum(lengths.values()) != len(values):
            raise WorkflowError(
                f"The values of node {instance.id} do not fit the group {self.name!r} that it stands for. "
                "Open the workflow where it was made and turn the group node into a subgraph."
            )
        waiting = iter(values)
        return {
            index: replace(node, values=[next(waiting) for _ in range(lengths[index])])
            for index, node in self.nodes.items()
        }


def read_groups(document: Mapping[str, Any]) -> dict[str, Group]:
    """The groups of a document by the types of their nodes. Raises WorkflowError."""
    extra = document.get("extra")
    defined = extra.get("groupNodes") if isinstance(extra, Mapping) else None
    if not isinstance(defined, Mapping):
        return {}
    groups = [_group(str(name), object_of(data, f"the group {name!r}")) for name, data in defined.items()]
    return {prefix + group.name: group for group in groups for prefix in PREFIXES}


def _group(name: str, data: Mapping[str, Any]) -> Group:
    where = f"the group {name!r}"
    drawn = objects_of(data.get("nodes") or [], f"nodes of {where}")
    nodes = [node_of({**one, "id": one.get("index", number)}, number, where) for number, one in enumerate(drawn)]
    config = data.get("config")
    return Group(
        name,
        {node.id: node for node in nodes},
        dict(_feeds(data.get("links") or [], where)),
        frozenset(_shown_outside(data.get("external") or [])),
        frozenset((index, name) for index, name in _hidden(config, "input")),
        frozenset((index, int(slot)) for index, slot in _hidden(config, "output") if slot.isdigit()),
    )


def _feeds(links: Any, where: str) -> Iterator[tuple[Place, Place]]:
    """The links inside, from the fed slot to the feeding one; those from outside have no source."""
    if not isinstance(links, list):
        raise WorkflowError(f"In this workflow, the links of {where} are not a list.")
    for link in links:
        if not isinstance(link, list) or len(link) < 4:
            raise WorkflowError(f"In this workflow, {link!r:.80} of {where} is no link.")
        source, source_slot, target, target_slot = link[:4]
        if source is not None and all(isinstance(one, int) for one in (source, source_slot, target, target_slot)):
            yield (str(target), target_slot), (str(source), source_slot)


def _shown_outside(external: Any) -> Iterator[Place]:
    for one in external if isinstance(external, list) else ():
        if isinstance(one, list) and len(one) >= 2 and isinstance(one[0], Mapping) and isinstance(one[1], int):
            yield str(one[0].get("index")), one[1]


def _hidden(config: Any, kind: str) -> Iterator[tuple[str, str]]:
    """The inputs or outputs that the group's settings hide: inner node, and name or slot."""
    for index, settings in config.items() if isinstance(config, Mapping) else ():
        slots = settings.get(kind) if isinstance(settings, Mapping) else None
        for name, slot in slots.items() if isinstance(slots, Mapping) else ():
            if isinstance(slot, Mapping) and slot.get("visible") is False:
                yield str(index), str(name)
