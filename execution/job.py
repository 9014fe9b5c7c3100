"""One run of one graph, from its first node to its last."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from execution.agenda import Agenda
from execution.blocking import blocker_in, skipped
from execution.cache import Cache, Key, Result, add_keys, told_by
from execution.calling import NodeError, answer_of, call
from execution.contexts import Contexts
from execution.coroutines import Coroutines, Task
from execution.dynamic import DynamicGraph
from execution.events import Event
from execution.expansion import Expanded, Pending, read, sources_first
from execution.graph import Link, Node, NodeId, ordered
from execution.hooks import hook_problems
from execution.kinds import Kind
from execution.lazy import wanted
from execution.lists import Answer, calls, joined, output_at
from execution.reading import Reading, Readings
from execution.run import Run
from execution.telling import Teller
from nodes.context import Context, InterruptedByUserError
from nodes.spec import NodeSpec


class UnknownNodeTypeError(Exception):
    """The graph was accepted when there was a node type that is no longer there."""


class RefusedInputsError(Exception):
    """A node's own check does not approve of its inputs."""


class WaitsForItselfError(Exception):
    """A node has expanded into one that needs its result."""


@dataclass(slots=True)
class Called:
    """A node whose function has been called, once or once for each element of its lists."""

    node: Node
    kind: Kind
    inputs: Mapping[str, Any]
    started: float
    ran: bool = False


SKIPPED = object()
"""Stands for the answer of a call that a blocker has kept from being made."""


class JobRun:
    """A graph that runs: what of it is done, and how far it is. Every node goes through `_visit`."""

    def __init__(
        self,
        run: Run,
        kinds: Mapping[str, Kind],
        readings: Readings,
        cache: Cache,
        context: Context,
        emit: Callable[[Event], None],
        stopped: Callable[[str], bool],
    ) -> None:
        self._run = run
        self._kinds = kinds
        self._readings = readings
        self._cache = cache
        self._stopped = stopped
        self._graph = DynamicGraph()
        self._tell = Teller(run, self._graph, emit)
        self._contexts = Contexts(run, context, self._graph, self._tell, self._check)
        self._agenda = Agenda(self._graph, kinds, self._recall)
        self._keys: dict[NodeId, Key | None] = {}
        self._coroutines = Coroutines(self._check)
        self._tasks: dict[Task, Called] = {}
        self._pending: dict[NodeId, Pending] = {}
        self._tails: dict[NodeId, NodeId] = {}
        self.executed: list[NodeId] = []
        self.current: NodeId | None = None
        self.current_type: str | None = None

    def run(self) -> None:
        """Run what the targets need. Raises NodeError, InterruptedByUserError, UnknownNodeTypeError."""
        reading = self._readings.of(self._run)
        self._refuse_unknown(reading)
        self._graph.queue(reading.graph)
        self._keys = reading.keys(self._kinds, self._fingerprint)
        order = reading.order
        cached = {node_id: found for node_id in order if (found := self._recall(node_id)) is not None}
        self._tell.found(tuple(cached))
        for node_id, result in cached.items():
            self._tell.cached(node_id, result)
        if cached:
            order = ordered(reading.graph, self._run.targets, cached)
        try:
            self._check_inputs(order)
            self._agenda.begin(self._run.targets, order, cached)
            cached.clear()
            self._work()
        finally:
            self._coroutines.close()

    def _check_inputs(self, order: Iterable[NodeId]) -> None:
        """Ask the nodes that check themselves once more, as what they name may have gone since the job was queued."""
        found = hook_problems(self._graph, order, self._kinds, self._context_for, self._coroutines.settle)
        for node_id, problems in found.items():
            node = self._graph[node_id]
            values = {name: value for name, value in node.inputs.items() if not isinstance(value, Link)}
            raise NodeError(node_id, node.type, RefusedInputsError(problems[0].details), values)

    def _work(self) -> None:
        while len(self._agenda):
            node_id = self._agenda.pop()
            if node_id is not None:
                self._visit(self._graph[node_id])
            elif self._tasks:
                self._coroutines.wait_for_one(self._tasks)
            else:
                raise WaitsForItselfError("A node has expanded into one that needs its own result.")
            if self._tasks:
                self._take_answers()

    def _visit(self, node: Node) -> None:
        """Take a node that can run as far as it gets: to its result, or to what it has to wait for."""
        self._check()
        self._note_current(node)
        if node.id in self._pending:
            self._resume(node)
            return
        # An equal node may have run a moment ago in this very graph.
        result = self._recall(node.id)
        if result is not None:
            self._tell.cached(node.id, result)
            self._finish(node, result)
            return
        kind = self._kinds[node.type]
        inputs = self._inputs(node, kind)
        missing = self._missing(node, kind) if kind.lazy else {}
        asked = self._blaming(node, inputs, self._asked, node, kind, inputs, missing) if missing else ()
        if asked:
            self._agenda.want_for(node.id, [missing[name] for name in asked])
            return
        self._call(Called(node, kind, {**inputs, **dict.fromkeys(missing)}, time.perf_counter()))

    def _asked(self, node: Node, kind: Kind, inputs: Mapping[str, Any], missing: Iterable[str]) -> set[str]:
        return wanted(kind, inputs, missing, self._contexts.of(node.id, kind.spec), self._coroutines.settle)

    def _inputs(self, node: Node, kind: Kind) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        results = self._agenda.results
        for name, value in kind.given(node):
            if not isinstance(value, Link):
                inputs[name] = value
            elif name in kind.raw:
                inputs[name] = [value.source, value.output]
            elif value.source in results:
                inputs[name] = output_at(results[value.source].outputs, value.output)
        return inputs | self._contexts.hidden(node.id, kind.spec)

    def _missing(self, node: Node, kind: Kind) -> dict[str, NodeId]:
        """The lazy inputs that are not evaluated, and the nodes that they come from."""
        return {
            name: value.source
            for name, value in node.inputs.items()
            if name in kind.lazy and isinstance(value, Link) and value.source not in self._agenda.results
        }

    def _call(self, called: Called) -> None:
        answers = self._blaming(called.node, called.inputs, self._answers, called)
        if any(isinstance(answer, Awaitable) for answer in answers):
            self._tasks[self._coroutines.start(answers)] = called
        else:
            self._blaming(called.node, called.inputs, self._conclude, called, answers)

    def _answers(self, called: Called) -> list[Any]:
        """Call the node for each of its elements; those that a blocker reaches are skipped."""
        node, spec = called.node, called.kind.spec
        answers: list[Any] = []
        for number, inputs in enumerate(calls(called.inputs, spec.takes_lists)):
            blocker = blocker_in(inputs, spec.takes_lists)
            if blocker is not None:
                if blocker.message is not None:
                    self._tell.blocked(node.id, blocker.message, self.executed)
                answers.append(SKIPPED)
                continue
            if not called.ran:
                called.ran = True
                self._tell.started(node.id)
            answers.append(call(spec, inputs, self._contexts.of(node.id, spec, number)))
        return answers

    def _take_answers(self) -> None:
        """Let asynchronous nodes work on, and go on with those that are done."""
        self._coroutines.advance()
        for task in [task for task in self._tasks if task.done()]:
            called = self._tasks.pop(task)
            self._note_current(called.node)
            answers = self._blaming(called.node, called.inputs, task.result)
            self._blaming(called.node, called.inputs, self._conclude, called, answers)

    def _conclude(self, called: Called, answers: list[Any]) -> None:
        """Make a result of the answers, or begin to wait for what the node has expanded into."""
        spec = called.kind.spec
        given = [skipped(spec) if answer is SKIPPED else answer_of(spec, answer) for answer in answers]
        if any(answer.graph is not None for answer in given):
            self._expand(called, given)
        elif called.ran:
            self._keep(called.node, joined(spec, given), called.started)
        else:
            self._finish(called.node, joined(spec, given))

    def _expand(self, called: Called, answers: list[Answer]) -> None:
        """Add what a node has expanded into to the graph, and plan what of it is needed."""
        node = called.node
        expanded = [
            read(answer, self._contexts.new_ids(node.id, number), self._graph, self._kinds)
            for number, answer in enumerate(answers)
        ]
        pending = Pending(called.kind.spec, [one.answer for one in expanded], called.started)
        sources = [link.source for link in pending.links()]
        holder = self._holder(node.id, pending)
        reader = holder or node.id
        self._tails.update(dict.fromkeys(sources, reader))
        self._agenda.read_also(reader, sources)
        for one in expanded:
            outputs = [new.id for new in one.nodes.values() if self._kinds[new.type].spec.output_node]
            self._add(node.id, one, [*sources, *outputs])
            pending.showing += outputs
        if holder is None:
            self._pending[node.id] = pending
            self._agenda.want_for(node.id, [*sources, *pending.showing])
        else:
            self._agenda.want([*sources, *pending.showing])
            self._hand_over(node, pending, holder)

    def _add(self, parent: NodeId, expanded: Expanded, roots: list[NodeId]) -> None:
        """Take what the roots need into the graph; what has run before, in this job or another, runs no more."""
        nodes = expanded.nodes
        order = sources_first(nodes, roots, (), self._kinds)
        self._graph.expand(parent, [nodes[node_id] for node_id in order], expanded.displays)
        unkeyed = sources_first(self._graph, roots, self._keys, self._kinds)
        told = told_by(self._graph, unkeyed, self._kinds, self._fingerprint)
        add_keys(self._keys, self._graph, unkeyed, self._kinds, told)
        fresh = dict.fromkeys(ordered(nodes, roots, self._agenda))
        self._agenda.expect(fresh)
        for node_id in order:
            if node_id not in fresh:
                self._tell.cached(node_id, self._recall(node_id))
                self._forget(self._agenda.skip(node_id))

    def _holder(self, node_id: NodeId, pending: Pending) -> NodeId | None:
        """The node that waits for nothing of this one but its results, and may as well wait for those of the nodes
        that it expands into: so a loop that is made of expansions inside expansions keeps one node waiting."""
        holder = self._tails.get(node_id)
        waiting = self._pending.get(holder) if holder is not None else None
        if waiting is None or not (waiting.is_plain and pending.is_plain):
            return None
        links = sum(link.source == node_id for link in waiting.links())
        return holder if links == self._agenda.readers(node_id) else None

    def _hand_over(self, node: Node, pending: Pending, holder: NodeId) -> None:
        """End a node whose results its holder takes from elsewhere now."""
        (answer,) = pending.answers
        self._pending[holder].take_over(node.id, answer.outputs, pending.showing)
        self._agenda.drop_reader(holder, node.id)
        self._tell.finished(node.id, answer.ui)
        self._leave(node.id, None)

    def _resume(self, node: Node) -> None:
        """Go on with a node that has expanded, once all that it links to is there and its output nodes have run."""
        pending = self._pending[node.id]
        awaited = pending.awaited(self._agenda.results)
        if awaited:
            self._agenda.want_for(node.id, awaited)
            return
        for link in pending.links():
            self._tails.pop(link.source, None)
        del self._pending[node.id]
        result = self._blaming(node, {}, pending.result, self._agenda.results)
        self._keep(node, self._tell.with_inside(node.id, result), pending.started)

    def _keep(self, node: Node, result: Result, started: float) -> None:
        """Remember what a node has computed, and tell it."""
        self._cache.put(self._keys[node.id], result, time.perf_counter() - started)
        self._tell.finished(node.id, result.ui)
        self._finish(node, result)

    def _finish(self, node: Node, result: Result) -> None:
        if self._graph.origin(node.id) is None:
            self.executed.append(node.id)
        self._leave(node.id, result)

    def _leave(self, node_id: NodeId, result: Result | None) -> None:
        self._tails.pop(node_id, None)
        self._forget(self._agenda.finish(node_id, result))

    def _forget(self, node_ids: Iterable[NodeId]) -> None:
        for node_id in node_ids:
            self._keys.pop(node_id, None)

    def _recall(self, node_id: NodeId) -> Result | None:
        return self._cache.get(self._keys.get(node_id))

    def _context_for(self, node_id: NodeId) -> Context:
        return self._contexts.of(node_id, self._kinds[self._graph[node_id].type].spec)

    def _fingerprint(self, node: Node, spec: NodeSpec) -> Any:
        """What a node's fingerprint says of its values; inputs that come from other nodes are None."""
        given = self._kinds[node.type].given(node)
        inputs = {name: None if isinstance(value, Link) else value for name, value in given}
        (inputs,) = calls(inputs | self._contexts.hidden(node.id, spec), spec.takes_lists)
        if spec.context_parameter is not None:
            inputs = {**inputs, spec.context_parameter: self._contexts.of(node.id, spec)}
        told = spec.fingerprint(**inputs) if spec.fingerprint is not None else ""
        return self._coroutines.settle(told) if isinstance(told, Awaitable) else told

    def _blaming(self, node: Node, inputs: Mapping[str, Any], work: Callable[..., Any], *arguments: Any) -> Any:
        """Do something of a node's; what goes wrong in it is the node's fault."""
        try:
            return work(*arguments)
        except InterruptedByUserError:
            raise
        except BaseException as error:  # noqa: BLE001 - a node that calls sys.exit ends its job, not the worker
            told = self._graph[self._graph.root(node.id)]
            raise NodeError(told.id, told.type, error, inputs, node.type) from None

    def _note_current(self, node: Node) -> None:
        told = self._graph[self._graph.root(node.id)]
        self.current, self.current_type = told.id, told.type

    def _check(self) -> None:
        if self._stopped(self._run.job_id):
            raise InterruptedByUserError

    def _refuse_unknown(self, reading: Reading) -> None:
        for node_type in reading.types:
            if node_type not in self._kinds:
                node_id = next(one for one in reading.order if reading.graph[one].type == node_type)
                self.current, self.current_type = node_id, node_type
                raise UnknownNodeTypeError(f"Node {node_id} is of the type {node_type}, which is not installed.")
