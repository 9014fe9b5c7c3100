"""Whether a graph may run: all problems at once, each on the node and input where it is.

The problem types, messages and details are those that clients of ComfyUI's API read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from execution.engine import Checked, NodeProblems, Problem
from execution.files import Files
from execution.graph import (
    Graph,
    GraphError,
    GraphLimits,
    Link,
    Node,
    NodeId,
    adopt,
    needed_and_cycles,
    ordered,
    parse,
    reached,
    readers,
    to_document,
)
from execution.input_checks import ABSENT, ANY, InputProblem, Surroundings, checked, shortened, strays
from execution.json_text import JsonText
from execution.work import excess_of
from nodes.inputs import given
from nodes.spec import InputSpec, NodeSpec

MOST_PROBLEMS = 100
"""How many problems of a graph's nodes are told; the others are counted."""

MOST_CYCLE_NODES_SHOWN = 10
MOST_OUTPUTS_SHOWN = 10

MOST_WALKS = 4
"""How often a graph is walked to find the outputs that a problem stops. Only cycles that lead into each other need
more; then some of their outputs are left unnamed."""

Errors = Mapping[NodeId, Sequence[Problem]]


def check(
    document: Any,
    specs: Mapping[str, NodeSpec],
    files: Files,
    wanted: tuple[NodeId, ...] | None = None,
    limits: GraphLimits | None = None,
) -> Checked:
    """Check a graph in API format, limited to the `wanted` output nodes if these are given.

    Outputs whose nodes are all in order may run even if others may not.
    """
    try:
        graph = parse(document, limits)
    except GraphError as error:
        kind = "missing_node_type" if error.no_type else "invalid_prompt"
        return _refused(Problem(kind, str(error), _id_text(error.node_id), _node_info(error.node_id)))
    unknown = [node for node in graph.values() if node.type not in specs]
    if unknown:
        told = {node.id: NodeProblems(node.type, (_unknown_type(node),), ()) for node in unknown[:MOST_PROBLEMS]}
        return _refused(_unknown_type(unknown[0]), told)
    targets = [node.id for node in graph.values() if specs[node.type].output_node]
    if wanted is not None:
        allowed = frozenset(wanted)
        strangers = allowed.difference(targets)
        if strangers:
            return _refused(_not_an_output(min(strangers), graph))
        targets = [node_id for node_id in targets if node_id in allowed]
    if not targets:
        return _refused(Problem("prompt_no_outputs", "Prompt has no outputs"))
    return _checked_outputs(graph, targets, specs, files)


def _checked_outputs(graph: Graph, targets: list[NodeId], specs: Mapping[str, NodeSpec], files: Files) -> Checked:
    order, cycles = needed_and_cycles(graph, targets)
    among = frozenset(order)
    around = Surroundings(graph, specs, files)
    converted: dict[NodeId, dict[str, Any]] = {}
    errors: dict[NodeId, list[Problem]] = {}
    for node in graph.values():
        if node.id in among:
            converted[node.id], problems = _checked_inputs(node, specs[node.type], around)
            if problems:
                errors[node.id] = problems
    for cycle in cycles:
        errors.setdefault(cycle[0], []).append(_cycle(graph, cycle))
    runnable, told = _judged(graph, order, targets, errors) if errors else (tuple(targets), {})
    if not runnable:
        return _nothing_left(told, errors)
    running = ordered(graph, runnable) if errors else order
    own_checkers = tuple(node_id for node_id in running if specs[graph[node_id].type].checks_itself)
    written = {one.id: Node(one.id, one.type, converted.get(one.id, one.inputs), one.meta) for one in graph.values()}
    return Checked(JsonText.of(to_document(written)), runnable, told, None, own_checkers)


def refused_by_nodes(checked: Checked, problems: Mapping[NodeId, Sequence[Problem]]) -> Checked:
    """What is left of a checked graph after nodes that check themselves have found these problems."""
    if not problems:
        return checked
    graph = adopt(checked.graph.read())
    runnable, told = _judged(graph, ordered(graph, checked.targets), checked.targets, problems)
    told = {**checked.node_errors, **told}
    return replace(checked, targets=runnable, node_errors=told) if runnable else _nothing_left(told, problems)


def _judged(
    graph: Graph, order: Sequence[NodeId], targets: Sequence[NodeId], errors: Errors
) -> tuple[tuple[NodeId, ...], dict[NodeId, NodeProblems]]:
    """The targets that need no node with errors, and what is told of these; `order` is what the targets need."""
    read_by = readers(graph, order)
    broken = reached(read_by, errors)
    told = _first(errors)
    stopped = _stopped(read_by, order, targets, list(told))
    described = {
        node_id: NodeProblems(graph[node_id].type, problems, tuple(outputs))
        for (node_id, problems), outputs in zip(told.items(), stopped, strict=True)
    }
    return tuple(target for target in targets if target not in broken), described


def _checked_inputs(node: Node, spec: NodeSpec, around: Surroundings) -> tuple[dict[str, Any], list[Problem]]:
    """The inputs as the node will get them (those not declared stay as they were), and what is wrong with them."""
    inputs = dict(node.inputs)
    has_groups = around.has_groups(spec)
    problems: list[Problem] = [*strays(node, spec)] if has_groups else []
    declared = tuple(given(spec.inputs, node.inputs)) if has_groups else spec.inputs
    for one in (*declared, *_open_links(node, spec, declared)):
        try:
            value = checked(node, one, around)
        except InputProblem as found:
            problems.append(found.problem)
        else:
            if value is not ABSENT:
                inputs[one.name] = value
    excess = excess_of(inputs)
    return inputs, problems if excess is None else [*problems, excess]


def _open_links(node: Node, spec: NodeSpec, declared: Iterable[InputSpec]) -> list[InputSpec]:
    """The linked inputs beyond the declared ones, of a node that takes such."""
    if not (spec.open_inputs or spec.open_links):
        return []
    known = {one.name for one in declared}
    return [
        InputSpec(name, ANY) for name, value in node.inputs.items() if isinstance(value, Link) and name not in known
    ]


def _refused(error: Problem, told: Mapping[NodeId, NodeProblems] | None = None) -> Checked:
    return Checked(JsonText.of({}), (), told or {}, error)


def _nothing_left(told: Mapping[NodeId, NodeProblems], errors: Errors) -> Checked:
    more = sum(map(len, errors.values())) - MOST_PROBLEMS
    details = f"{more} more problems are not listed" if more > 0 else ""
    return _refused(Problem("prompt_outputs_failed_validation", "Prompt outputs failed validation", details), told)


def _first(errors: Errors) -> dict[NodeId, tuple[Problem, ...]]:
    """The problems that are told."""
    told: dict[NodeId, tuple[Problem, ...]] = {}
    left = MOST_PROBLEMS
    for node_id, problems in errors.items():
        told[node_id] = tuple(problems[:left])
        left -= len(told[node_id])
        if not left:
            break
    return told


def _stopped(
    read_by: Mapping[NodeId, Iterable[NodeId]],
    order: Sequence[NodeId],
    targets: Sequence[NodeId],
    broken: Sequence[NodeId],
) -> list[list[NodeId]]:
    """For each broken node the first outputs that need it. Each has a bit, which all that read it inherit."""
    bits = {node_id: 1 << number for number, node_id in enumerate(broken)}
    for _ in range(MOST_WALKS):
        is_settled = True
        for node_id in order:
            own = bits.get(node_id, 0)
            for reader in read_by.get(node_id, ()) if own else ():
                before = bits.get(reader, 0)
                if own & ~before:
                    bits[reader] = before | own
                    is_settled = False
        if is_settled:
            break
    stopped: list[list[NodeId]] = [[] for _ in broken]
    for target in targets:
        found = bits.get(target, 0)
        for number, outputs in enumerate(stopped) if found else ():
            if found >> number & 1 and len(outputs) < MOST_OUTPUTS_SHOWN:
                outputs.append(target)
    return stopped


def _unknown_type(node: Node) -> Problem:
    title = node.title if isinstance(node.meta.get("title"), str) else None
    return Problem(
        "missing_node_type",
        f"Node '{node.title}' is of the type {node.type}, which is not installed",
        _id_text(node.id),
        {"node_id": node.id, "class_type": node.type, "node_title": title},
    )


def _not_an_output(node_id: NodeId, graph: Graph) -> Problem:
    reason = f"is no output node ({graph[node_id].type})" if node_id in graph else "is not in the graph"
    name = shortened(node_id)
    return Problem(
        "invalid_partial_execution_targets",
        f"Node {name} cannot be run to, because it {reason}",
        _id_text(name),
        {"node_id": name},
    )


def _cycle(graph: Graph, cycle: list[NodeId]) -> Problem:
    named = [f"{node_id} ({graph[node_id].type})" for node_id in cycle[:MOST_CYCLE_NODES_SHOWN]]
    if len(cycle) > MOST_CYCLE_NODES_SHOWN:
        named.append(f"… {len(cycle) - MOST_CYCLE_NODES_SHOWN} more …")
    return Problem(
        "dependency_cycle",
        "Dependency cycle: a node cannot need its own result",
        " -> ".join([*named, cycle[0]]),
        {"node_id": cycle[0], "cycle_nodes": cycle[:MOST_CYCLE_NODES_SHOWN]},
    )


def _id_text(node_id: str | None) -> str:
    return "" if node_id is None else f"Node ID '#{node_id}'"


def _node_info(node_id: str | None) -> dict[str, Any]:
    return {} if node_id is None else {"node_id": node_id}
