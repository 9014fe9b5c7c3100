"""Whether a graph may run: all problems at once, each on the node and input where it is.

The problem types, messages and details are those that clients of ComfyUI's API read.
"""

from collections.abc import Collection, Mapping, Sequence
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
    needed,
    needed_and_cycles,
    parse,
    reached,
    readers,
    to_document,
)
from execution.input_checks import ABSENT, ANY, InputProblem, Surroundings, checked, strays
from execution.work import excess_of
from nodes.inputs import given
from nodes.spec import InputSpec, NodeSpec

MOST_NODES_REPORTED = 100
MOST_CYCLE_NODES_SHOWN = 10
MOST_OUTPUTS_SHOWN = 50

Errors = dict[NodeId, list[Problem]]


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
        return _refused({}, Problem(kind, str(error), _id_text(error.node_id), _node_info(error.node_id)))
    unknown = [node for node in graph.values() if node.type not in specs]
    if unknown:
        return _refused(graph, _unknown_type(unknown[0]), {node.id: [_unknown_type(node)] for node in unknown})
    targets = [node.id for node in graph.values() if specs[node.type].output_node]
    if wanted is not None:
        allowed = frozenset(wanted)
        strangers = allowed.difference(targets)
        if strangers:
            return _refused(graph, _not_an_output(min(strangers), graph))
        targets = [node_id for node_id in targets if node_id in allowed]
    if not targets:
        return _refused(graph, Problem("prompt_no_outputs", "Prompt has no outputs"))
    return _checked_outputs(graph, targets, specs, files)


def _checked_outputs(graph: Graph, targets: list[NodeId], specs: Mapping[str, NodeSpec], files: Files) -> Checked:
    order, cycles = needed_and_cycles(graph, targets)
    among = set(order)
    around = Surroundings(graph, specs, files)
    converted = dict(graph)
    errors: Errors = {}
    for node in graph.values():
        if node.id in among:
            inputs, problems = _checked_inputs(node, specs[node.type], around)
            converted[node.id] = Node(node.id, node.type, inputs, node.meta)
            if problems:
                errors[node.id] = problems
    for cycle in cycles:
        errors.setdefault(cycle[0], []).append(_cycle(graph, cycle))
    broken = reached(readers(graph, among), errors) if errors else ()
    runnable = tuple(target for target in targets if target not in broken)
    if runnable:
        return Checked(to_document(converted), runnable, _described(graph, targets, errors), None)
    error = Problem("prompt_outputs_failed_validation", "Prompt outputs failed validation", _left_out(errors))
    return _refused(converted, error, errors, targets)


def refused_by_nodes(checked: Checked, problems: Mapping[NodeId, Sequence[Problem]]) -> Checked:
    """What is left of a checked graph after nodes that check themselves have found these problems."""
    if not problems:
        return checked
    graph = adopt(checked.graph)
    errors = {node_id: list(found) for node_id, found in problems.items()}
    broken = reached(readers(graph, needed(graph, checked.targets)), errors)
    runnable = tuple(target for target in checked.targets if target not in broken)
    node_errors = {**checked.node_errors, **_described(graph, checked.targets, errors)}
    error = None if runnable else Problem("prompt_outputs_failed_validation", "Prompt outputs failed validation")
    return Checked(checked.graph, runnable, node_errors, error)


def own_checkers(checked: Checked, specs: Mapping[str, NodeSpec]) -> tuple[NodeId, ...]:
    """The nodes that would run, and check their inputs themselves."""
    if not any(spec.checks_itself for spec in specs.values()):
        return ()
    graph = adopt(checked.graph)
    return tuple(node_id for node_id in needed(graph, checked.targets) if specs[graph[node_id].type].checks_itself)


def _checked_inputs(node: Node, spec: NodeSpec, around: Surroundings) -> tuple[dict[str, Any], list[Problem]]:
    """The inputs as the node will get them (those not declared stay as they were), and what is wrong with them."""
    inputs = dict(node.inputs)
    problems: list[Problem] = [problem for one in spec.inputs for problem in strays(node, one)]
    for declared in (*given(spec.inputs, node.inputs), *_open_links(node, spec)):
        try:
            value = checked(node, declared, around)
        except InputProblem as found:
            problems.append(found.problem)
        else:
            if value is not ABSENT:
                inputs[declared.name] = value
    excess = excess_of(inputs)
    return inputs, problems if excess is None else [*problems, excess]


def _open_links(node: Node, spec: NodeSpec) -> list[InputSpec]:
    """The linked inputs beyond the declared ones, of a node that takes such."""
    if not spec.open_inputs:
        return []
    declared = {one.name for one in given(spec.inputs, node.inputs)}
    return [
        InputSpec(name, ANY) for name, value in node.inputs.items() if isinstance(value, Link) and name not in declared
    ]


def _described(graph: Graph, targets: Collection[NodeId], errors: Errors) -> dict[NodeId, NodeProblems]:
    """The first problems by node, each with the outputs that it stops."""
    if not errors:
        return {}
    read_by = readers(graph, needed(graph, targets))
    described = {}
    for node_id, problems in list(errors.items())[:MOST_NODES_REPORTED]:
        stopped = reached(read_by, [node_id])
        outputs = [target for target in targets if target in stopped][:MOST_OUTPUTS_SHOWN]
        described[node_id] = NodeProblems(graph[node_id].type, tuple(problems), tuple(outputs))
    return described


def _refused(graph: Graph, error: Problem, errors: Errors | None = None, targets: Collection[NodeId] = ()) -> Checked:
    return Checked(to_document(graph), (), _described(graph, targets, errors or {}), error)


def _left_out(errors: Errors) -> str:
    more = len(errors) - MOST_NODES_REPORTED
    return f"{more} more nodes have problems that are not listed" if more > 0 else ""


def _unknown_type(node: Node) -> Problem:
    title = node.meta.get("title")
    return Problem(
        "missing_node_type",
        f"Node '{node.title}' is of the type {node.type}, which is not installed",
        _id_text(node.id),
        {"node_id": node.id, "class_type": node.type, "node_title": title if isinstance(title, str) else None},
    )


def _not_an_output(node_id: NodeId, graph: Graph) -> Problem:
    reason = f"is no output node ({graph[node_id].type})" if node_id in graph else "is not in the graph"
    return Problem(
        "invalid_partial_execution_targets",
        f"Node {node_id[:MOST_OUTPUTS_SHOWN]} cannot be run to, because it {reason}",
        _id_text(node_id[:MOST_OUTPUTS_SHOWN]),
        {"node_id": node_id},
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
