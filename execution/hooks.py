"""Nodes that check their inputs themselves. Only a process that has their code can ask them."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from execution.calling import message_of, type_name
from execution.engine import Problem
from execution.graph import Graph, Link, Node, NodeId
from execution.kinds import Kind
from execution.lists import calls
from nodes.context import Context, InterruptedByUserError
from nodes.spec import NodeSpec

INPUT_TYPES = "input_types"
"""The parameter by which a check asks for the types of what is linked, and takes their checking over."""


def hook_problems(
    graph: Graph,
    node_ids: Iterable[NodeId],
    kinds: Mapping[str, Kind],
    context_of: Callable[[NodeId], Context],
    settle: Callable[[Awaitable[Any]], Any],
) -> dict[NodeId, list[Problem]]:
    """What nodes that check themselves say of their inputs, by node; those in order are left out.

    Inputs that come from other nodes are None to them. `settle` waits for checks that are coroutines.
    """
    found: dict[NodeId, list[Problem]] = {}
    for node_id in node_ids:
        node = graph[node_id]
        kind = kinds.get(node.type)
        if kind is not None and kind.spec.validate is not None:
            problems = _problems(node, kind, graph, kinds, context_of(node_id), settle)
            if problems:
                found[node_id] = problems
    return found


def settled(awaitable: Awaitable[Any]) -> Any:
    """The result of something awaitable, for a thread without an event loop."""

    async def wait() -> Any:
        return await awaitable

    return asyncio.run(wait())


def _problems(
    node: Node,
    kind: Kind,
    graph: Graph,
    kinds: Mapping[str, Kind],
    context: Context,
    settle: Callable[[Awaitable[Any]], Any],
) -> list[Problem]:
    spec = kind.spec
    inputs = {
        name: None if isinstance(value, Link) else value
        for name, value in kind.given(node)
        if spec.open_inputs or not spec.validated.isdisjoint((name, name.partition(".")[0]))
    }
    types = _linked_types(node, graph, kinds) if INPUT_TYPES in spec.validated else {}
    blamed = next(iter((*inputs, *types)), "")
    if INPUT_TYPES in spec.validated:
        inputs[INPUT_TYPES] = types
    try:
        answers = [_asked(spec, call, context, settle) for call in calls(inputs, spec.takes_lists)]
    except InterruptedByUserError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a check raises says that it cannot approve
        return [
            Problem(
                "exception_during_validation", message_of(error), f"{type_name(error)} in the check of {spec.id}",
                {"exception_type": type_name(error), "traceback": []},
            )
        ]  # fmt: skip
    return [_problem(answer, blamed) for answer in answers if answer is not True]


def _asked(
    spec: NodeSpec, inputs: Mapping[str, Any], context: Context, settle: Callable[[Awaitable[Any]], Any]
) -> bool | str:
    assert spec.validate is not None
    extra = {spec.context_parameter: context} if spec.context_parameter is not None else {}
    answer = spec.validate(**inputs, **extra)
    return settle(answer) if inspect.isawaitable(answer) else answer


def _linked_types(node: Node, graph: Graph, kinds: Mapping[str, Kind]) -> dict[str, str]:
    """The types of what is linked; inputs that the node does not declare may be linked to what is not there."""
    found: dict[str, str] = {}
    for name, value in node.inputs.items():
        source = graph.get(value.source) if isinstance(value, Link) else None
        spec = kinds[source.type].spec if source is not None and source.type in kinds else None
        output = spec.output(value.output) if spec is not None and isinstance(value, Link) else None
        if output is not None:
            found[name] = output.type
    return found


def _problem(answer: bool | str, name: str) -> Problem:
    details = name if isinstance(answer, bool) else " - ".join(filter(None, (name, answer)))
    return Problem("custom_validation_failed", "Custom validation failed for node", details, {"input_name": name})
