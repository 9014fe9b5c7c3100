"""Values that stand for several: how a node runs once for each, and what becomes of the answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from execution.cache import Result
from nodes.spec import Blocker, NodeSpec


class Listed(tuple[Any, ...]):
    """The values of one output; a node that reads it runs once for each."""


class Answer(NamedTuple):
    """What one call gave: a value for each output, and what the node shows. With a graph it is an expansion: outputs
    that are links come from the nodes of that graph."""

    outputs: tuple[Any, ...]
    ui: Mapping[str, Any] | None = None
    graph: Mapping[str, Any] | None = None


class WrongOutputsError(TypeError):
    """A node has not returned what it declares."""


def listed(values: Sequence[Any]) -> Any:
    """The values as one; a single one stands for itself."""
    return values[0] if len(values) == 1 else Listed(values)


def unlisted(value: Any) -> list[Any]:
    """All values that one stands for."""
    return list(value) if type(value) is Listed else [value]


def all_outputs(spec: NodeSpec, value: Any) -> tuple[Any, ...]:
    """The value as each of a node's outputs; at least once where there are such beyond the declared ones."""
    return (value,) * max(len(spec.outputs), spec.open_outputs is not None)


def output_at(outputs: Sequence[Any], number: int) -> Any:
    """What a node has given as the output of this number. Beyond all that it has given it is None, or what these are
    where the node has given nothing at all."""
    if number < len(outputs):
        return outputs[number]
    return outputs[-1] if outputs and all(map(_is_nothing, outputs)) else None


def _is_nothing(value: Any) -> bool:
    return type(value) is Blocker or (type(value) is Listed and not value)


def calls(inputs: Mapping[str, Any], takes_lists: bool) -> list[Mapping[str, Any]]:
    """The inputs of each call that a node needs.

    One that `takes_lists` is called once with lists, of one element where a value is single. Another is called as
    often as its longest list is long, and shorter ones repeat their last element; an empty one leaves nothing to call.
    """
    if takes_lists:
        return [{name: unlisted(value) for name, value in inputs.items()}]
    lengths = [len(value) for value in inputs.values() if type(value) is Listed]
    if not lengths:
        return [inputs]
    if 0 in lengths:
        return []
    return [{name: _element(value, index) for name, value in inputs.items()} for index in range(max(lengths))]


def _element(value: Any, index: int) -> Any:
    return value[min(index, len(value) - 1)] if type(value) is Listed else value


def joined(spec: NodeSpec, answers: Sequence[Answer]) -> Result:
    """The answers of all calls as one: values in a row, and what is shown one after the other."""
    if len(answers) == 1 and not any(output.is_list for output in spec.outputs):
        return Result(answers[0].outputs, answers[0].ui)
    outputs = [
        listed([value for answer in answers for value in _values(output_at(answer.outputs, number), spec, number)])
        for number in range(max(map(len, (spec.outputs, *(answer.outputs for answer in answers)))))
    ]
    return Result(tuple(outputs), _shown_together(answer.ui for answer in answers if answer.ui is not None))


def _values(value: Any, spec: NodeSpec, number: int) -> Iterable[Any]:
    output = spec.output(number)
    if type(value) is Listed:
        return value
    if output is None or not output.is_list or isinstance(value, Blocker):
        return (value,)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return value
    raise WrongOutputsError(f"{spec.id} returned a {type(value).__name__} for {output.name}, which is to be a list.")


def _shown_together(shown: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    together: dict[str, Any] | None = None
    for one in shown:
        together = {} if together is None else together
        for name, values in one.items():
            if name in together and isinstance(values, list) and isinstance(together[name], list):
                together[name] = together[name] + values
            else:
                together[name] = values
    return together
