"""What a foreign node's function returned, as the engine reads it."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from nodes.spec import Blocker, Expansion, OutputSpec, Shown
from nodes.v1.declaration import plain
from nodes.v1.values import to_ours


class ForeignAnswerError(TypeError):
    """A foreign node has returned something that its declaration does not allow."""


def read_answer(id: str, declared: Sequence[OutputSpec], answer: Any, more: bool = False) -> Any:
    """Translates a tuple of outputs, or {"ui", "result", "expand"}, to what a function of ours returns.

    There may be `more` outputs than the declared ones.
    """
    answer = answer.as_answer() if hasattr(answer, "as_answer") else answer
    single = tuple if more else _single
    if not isinstance(answer, Mapping):
        return single(_outputs(id, declared, answer, more))
    unknown = set(answer) - {"ui", "result", "expand"}
    if unknown:
        raise ForeignAnswerError(f"{id} returned a dictionary with the unknown key {min(map(str, unknown))!r}.")
    outputs = _outputs(id, declared, answer.get("result"), more)
    expand = answer.get("expand")
    result = single(outputs) if expand is None else Expansion(outputs, dict(expand))
    return Shown(result, _shown(answer["ui"])) if answer.get("ui") else result


def _single(outputs: tuple[Any, ...]) -> Any:
    """The one output's value, a tuple of several, or None where there is none."""
    if not outputs:
        return None
    return outputs[0] if len(outputs) == 1 else outputs


def _outputs(id: str, declared: Sequence[OutputSpec], answer: Any, more: bool) -> tuple[Any, ...]:
    if isinstance(answer, Blocker):
        return (answer,) * max(len(declared), more)
    if answer is None:
        answer = ()
    if isinstance(answer, tuple | list):
        beyond = answer[len(declared) :] if more else ()
        return (*(_output(id, declared, index, answer) for index in range(len(declared))), *map(to_ours, beyond))
    if not declared:
        return ()
    raise ForeignAnswerError(f"{id} returned {_kind(answer)} where the protocol asks for a tuple of outputs: (value,).")


def _output(id: str, outputs: Sequence[OutputSpec], index: int, answer: Sequence[Any]) -> Any:
    declared = outputs[index]
    if index >= len(answer):
        # Only whoever reads the output is kept from running: packs leave out what nobody reads.
        return Blocker(f"{id} returned {len(answer)} of its {len(outputs)} outputs, and {declared.name!r} is missing.")
    value = answer[index]
    if not declared.is_list or isinstance(value, Blocker):
        return _ours(declared, value)
    if not isinstance(value, list | tuple):
        raise ForeignAnswerError(f"{id} returned {_kind(value)} as {declared.name!r}, which it declares to be a list.")
    return [_ours(declared, item) for item in value]


def _ours(declared: OutputSpec, value: Any) -> Any:
    if declared.type == "CONDITIONING" and isinstance(value, list) and not value:
        return ()
    return to_ours(value)


def _kind(value: Any) -> str:
    return f"a tensor {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def _shown(ui: Any) -> dict[str, list[Any]]:
    """What the editor shows, by kind; single values become lists of one."""
    if hasattr(ui, "as_dict"):
        ui = ui.as_dict()
    if not isinstance(ui, Mapping):
        raise ForeignAnswerError(f'"ui" is {_kind(ui)}, not a dictionary of lists.')
    listed = {str(key): value if isinstance(value, list | tuple) else [value] for key, value in ui.items()}
    return {key: [plain(item) for item in value] for key, value in listed.items()}
