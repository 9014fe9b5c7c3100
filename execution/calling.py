"""How the function of one node is called, and what its answer means."""

import json
import traceback
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from execution.lists import Answer, WrongOutputsError, all_outputs
from nodes.context import Context
from nodes.spec import Blocker, Expansion, NodeSpec, Shown

LONGEST_MESSAGE = 10_000
LONGEST_VALUE = 300
MOST_INPUTS = 100
MOST_FRAMES = 50

ROOT = Path(__file__).parents[1]
ENGINE = str(Path(__file__).parent)


class NodeError(Exception):
    """A node has failed: which, why (the cause), and what it was given, as far as a person would read it.

    `inner_type` is the type of the one of its nodes that has failed, if the node has expanded into a graph.
    """

    def __init__(
        self, node_id: str, node_type: str, cause: BaseException, inputs: Mapping[str, Any], inner_type: str = ""
    ) -> None:
        super().__init__(f"{node_type} (node {node_id}) failed: {cause}")
        self.node_id = node_id
        self.node_type = node_type
        self.exception_type = type_name(cause)
        self.message = message_of(cause)
        if inner_type not in ("", node_type):
            self.message += f"\n\n{inner_type} has failed, one of the nodes that {node_type} has expanded into."
        self.frames = frames_of(cause)
        self.inputs = {name: summary(value) for name, value in islice(inputs.items(), MOST_INPUTS)}


def call(spec: NodeSpec, inputs: Mapping[str, Any], context: Context) -> Any:
    """Run a node's function on its inputs; a coroutine function gives a coroutine. What it raises passes through."""
    if spec.function is None:
        raise WrongOutputsError(f"{spec.id} has no function in this process.")
    if spec.context_parameter is not None:
        return spec.function(**inputs, **{spec.context_parameter: context})
    return spec.function(**inputs)


def answer_of(spec: NodeSpec, answer: Any) -> Answer:
    """What a function has returned, with its outputs in their declared order. Raises WrongOutputsError."""
    ui = None
    if isinstance(answer, Shown):
        answer, ui = answer.result, _plain_json(spec, answer.ui)
    if isinstance(answer, Expansion):
        return Answer(_all_of(spec, answer.result), ui, answer.graph)
    return Answer(_outputs(spec, answer), ui)


def _outputs(spec: NodeSpec, answer: Any) -> tuple[Any, ...]:
    expected = len(spec.outputs)
    if isinstance(answer, Blocker):
        return all_outputs(spec, answer)
    if spec.open_outputs is not None:
        return _all_of(spec, answer)
    if expected == 0:
        return ()
    if expected == 1 and not (isinstance(answer, tuple) and hasattr(answer, "_fields") and len(answer) == 1):
        return (answer,)
    return _all_of(spec, answer)


def _all_of(spec: NodeSpec, answer: Any) -> tuple[Any, ...]:
    expected = len(spec.outputs)
    given = len(answer) if isinstance(answer, tuple) else -1
    if given < expected or (given > expected and spec.open_outputs is None):
        told = f"{given} values" if given >= 0 else f"a {type(answer).__name__}"
        raise WrongOutputsError(f"{spec.id} returned {told} where it declares {expected} outputs.")
    return tuple(answer)


def _plain_json(spec: NodeSpec, ui: Mapping[str, Any]) -> Mapping[str, Any]:
    """What travels to the editor and into the history, free of anything that JSON does not have."""
    try:
        return json.loads(json.dumps(ui, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise WrongOutputsError(f"What {spec.id} shows is not JSON: {error}.") from error


def type_name(error: BaseException) -> str:
    """The class of an error with its module, without it for Python's own."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def message_of(error: BaseException) -> str:
    text = str(error) or type_name(error)
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"


def frames_of(error: BaseException) -> tuple[str, ...]:
    """The lines of the traceback below the engine's own frames, the innermost MOST_FRAMES if there are more."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and _is_engine(trace):
        trace = trace.tb_next
    frames = traceback.StackSummary.extract(_steps(trace))
    for frame in frames:
        frame.filename = _shown(frame.filename)
    return tuple(frames.format())


def _is_engine(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(ENGINE)


def _steps(trace: TracebackType | None) -> Iterable[Any]:
    return list(traceback.walk_tb(trace))[-MOST_FRAMES:]


def _shown(filename: str) -> str:
    """A source file without the directories of this machine, which are nobody else's business."""
    path = Path(filename)
    for index, part in reversed(list(enumerate(path.parts))):
        if part in ("site-packages", "custom_nodes"):
            return "/".join(path.parts[index:])
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def summary(value: Any) -> str:
    """A value as a short text: literals as they are, arrays by shape, others by their type."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{type(value).__name__} {'×'.join(map(str, shape))} {getattr(value, 'dtype', '')}".rstrip()
    if isinstance(value, str | int | float | bool | list | dict | tuple | None):
        text = value if isinstance(value, str) else _plain(value)
        return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
    return type(value).__name__


def _plain(value: Any) -> str:
    """Containers by their size, because what they hold may be large and strange."""
    if isinstance(value, list | dict | tuple):
        return f"{type(value).__name__} of {len(value)}"
    return repr(value)
