"""A class of a pack as a node: its declaration read, its method called with the values that it expects."""

import inspect
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from nodes.context import Context
from nodes.inputs import Dependent, Growing, possible
from nodes.spec import InputSpec, NodeSpec
from nodes.v1.answers import read_answer
from nodes.v1.declaration import ForeignDeclarationError, inputs_of, open_outputs_of, outputs_of
from nodes.v1.gradients import without_gradients
from nodes.v1.groups import nested, with_name
from nodes.v1.runtime import Call, Runtime
from nodes.v1.values import to_foreign

CONTEXT = "weft context"
"""The parameter that the engine's context is passed in; no input's name holds a space in a place like this."""

TYPES_OF_LINKS = "input_types"
"""The parameter by which VALIDATE_INPUTS asks for the types of what is linked, and takes their checking over."""

MOST_INSTANCES = 10_000


Groups = tuple[InputSpec, ...]
"""Those of a node's inputs that stand for several."""


class ChangesAlwaysError(Exception):
    """A node's IS_CHANGED says that no two of its results are the same."""


class Instances:
    """One instance for each node id and class, kept over jobs, because nodes remember things between runs."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, type], Any] = OrderedDict()

    def get(self, node_id: str, node_class: type) -> Any:
        """The node's instance, made if there is none; the ones used longest ago go when there are too many."""
        key = (node_id, node_class)
        if key not in self._made:
            self._made[key] = node_class()
            if len(self._made) > MOST_INSTANCES:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]


@dataclass(frozen=True, eq=False)
class ForeignClass:
    """A class that follows ComfyUI's protocol, under the id and the name that its pack gives it."""

    id: str
    node: Any
    display_name: str
    module: str
    runtime: Runtime

    def spec(self) -> NodeSpec:
        """The node as it declares itself now. Raises ForeignDeclarationError, and whatever INPUT_TYPES raises."""
        node = self.node
        declared, outputs, more = inputs_of(node), outputs_of(node), open_outputs_of(node)
        groups = tuple(one for one in declared.inputs if isinstance(one.widget, Growing | Dependent))
        name = getattr(node, "FUNCTION", None)
        if not isinstance(name, str) or not callable(getattr(node, name, None)):
            raise ForeignDeclarationError(f"FUNCTION is {name!r}, which is no method of the class")
        return NodeSpec(
            id=self.id,
            display_name=self.display_name,
            category=str(getattr(node, "CATEGORY", "") or "custom"),
            description=inspect.cleandoc(str(getattr(node, "DESCRIPTION", "") or "")),
            inputs=declared.inputs,
            open_inputs=declared.other is not None,
            open_options={} if declared.other is None else declared.other.options,
            open_links=self._takes_any_link(name),
            outputs=outputs,
            open_outputs=more,
            output_node=bool(getattr(node, "OUTPUT_NODE", False)),
            context_parameter=CONTEXT,
            module=self.module,
            takes_lists=bool(getattr(node, "INPUT_IS_LIST", False)),
            keyed_by_id=bool(getattr(node, "NOT_IDEMPOTENT", False)),
            hidden=declared.hidden,
            validated=self._validated(declared.inputs),
            deprecated=bool(getattr(node, "DEPRECATED", False)),
            experimental=bool(getattr(node, "EXPERIMENTAL", False)),
            aliases=tuple(map(str, getattr(node, "SEARCH_ALIASES", None) or ())),
            function=self._function(name, groups, partial(read_answer, self.id, outputs, more=more is not None)),
            fingerprint=partial(self._fingerprint, groups) if hasattr(node, "IS_CHANGED") else None,
            needed=partial(self._needed, groups) if hasattr(node, "check_lazy_status") else None,
            validate=partial(self._validate, groups) if hasattr(node, "VALIDATE_INPUTS") else None,
        )

    def _function(self, name: str, groups: Groups, read: Callable[[Any], Any]) -> Callable[..., Any]:
        """The class's method as a function of ours, its answers read; one that is to be awaited stays so."""

        def run(**inputs: Any) -> Any:
            call, values = self._prepared(inputs)
            with self.runtime.running(call), torch.no_grad():
                answer = getattr(self._instance(call), name)(**nested(groups, values))
            return read(answer)

        async def run_async(**inputs: Any) -> Any:
            call, values = self._prepared(inputs)
            with self.runtime.running(call):
                answer = await without_gradients(getattr(self._instance(call), name)(**nested(groups, values)))
            return read(answer)

        return run_async if inspect.iscoroutinefunction(getattr(self.node, name)) else run

    def _takes_any_link(self, name: str) -> bool:
        """Whether the method is given links that are not declared: scripts of ComfyUI's editor add such inputs to
        nodes, which take them by `**kwargs`. A schema says itself whether it takes any."""
        parameters = inspect.signature(getattr(self.node, name)).parameters.values()
        return not hasattr(self.node, "schema_node") and any(one.kind is one.VAR_KEYWORD for one in parameters)

    def _prepared(self, inputs: Mapping[str, Any]) -> tuple[Call, dict[str, Any]]:
        """The call, and the inputs as the class expects them: linked values in its own shapes."""
        context: Context = inputs.get(CONTEXT, self.runtime.context)
        values = {name: _to_foreign(value) for name, value in inputs.items() if name != CONTEXT}
        return Call(context), values

    def _instance(self, call: Call) -> Any:
        return self.runtime.services.get(Instances, Instances).get(call.context.node_id, self.node)

    def _fingerprint(self, groups: Groups, /, **inputs: Any) -> Any:
        """What IS_CHANGED says. Raises ChangesAlwaysError where it says that the node is never the same."""

        def read(answer: Any) -> str:
            if isinstance(answer, float) and math.isnan(answer):
                raise ChangesAlwaysError(f"{self.id} says that it always changes.")
            return repr(answer)

        call, values = self._prepared(inputs)
        return self._asked(self.node.IS_CHANGED, call, nested(groups, values), read)

    def _needed(self, groups: Groups, /, **inputs: Any) -> Any:
        """The lazy inputs that the node asks for. It finds those in groups with their names beside them."""
        call, values = self._prepared(inputs)
        return self._asked(self._instance(call).check_lazy_status, call, nested(groups, values, with_name), _names)

    def _validate(self, groups: Groups, /, **inputs: Any) -> Any:
        """What VALIDATE_INPUTS says: True, or what is wrong."""
        call, values = self._prepared(inputs)
        return self._asked(self.node.VALIDATE_INPUTS, call, nested(groups, values), _verdict)

    def _asked(self, ask: Callable[..., Any], call: Call, values: dict[str, Any], read: Callable[[Any], Any]) -> Any:
        """What a hook answers, read; awaitable if the hook is."""
        with self.runtime.running(call):
            answer = ask(**_accepted(ask, values))

        async def read_later() -> Any:
            with self.runtime.running(call):
                return read(await answer)

        return read_later() if inspect.isawaitable(answer) else read(answer)

    def _validated(self, inputs: Sequence[InputSpec]) -> frozenset[str]:
        """The inputs that VALIDATE_INPUTS asks for by name, or all of them where it takes any."""
        check = getattr(self.node, "VALIDATE_INPUTS", None)
        if check is None:
            return frozenset()
        parameters = inspect.signature(check).parameters
        if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
            return frozenset(one.name for one in possible(inputs))
        return frozenset({*(one.name for one in inputs), TYPES_OF_LINKS} & set(parameters))


def _names(answer: Any) -> list[str]:
    return [answer] if isinstance(answer, str) else [str(name) for name in answer or ()]


def _verdict(answer: Any) -> bool | str:
    return answer if isinstance(answer, str) else bool(answer)


def _accepted(function: Callable[..., Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values that a function has parameters for."""
    parameters = inspect.signature(function).parameters
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return values
    return {name: value for name, value in values.items() if name in parameters}


def _to_foreign(value: Any) -> Any:
    """A value, or each value of a list of them, in the shape foreign nodes expect."""
    return [to_foreign(item) for item in value] if type(value) is list else to_foreign(value)
