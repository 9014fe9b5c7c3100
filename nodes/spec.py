"""What a node is: its inputs, outputs and options, read off a typed function. Needs no torch."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from nodes.context import Context
from nodes.inputs import (
    DEPENDENT,
    GROWING,
    REQUIRED,
    WIDGETS,
    Choice,
    Dependent,
    FileChoice,
    FilePrefix,
    Growing,
    Grows,
    Help,
    InputSpec,
    Number,
    Required,
    Socket,
    Text,
    Variants,
    Widget,
)

__all__ = [
    "REQUIRED", "Blocker", "Choice", "Expansion", "FileChoice", "FilePrefix", "Grows", "Help", "InputSpec", "NodeSpec",
    "Number", "OutputSpec", "Shown", "Socket", "Text", "Variants", "Widget", "node", "spec_of",
]  # fmt: skip


class NodeDeclarationError(TypeError):
    """A node function whose signature does not say all that a node needs."""


@dataclass(frozen=True)
class OutputSpec:
    """One output by name and wire type. An output that `is_list` gives a list, for whose items its readers run."""

    name: str
    type: str
    tooltip: str = ""
    is_list: bool = False


@dataclass(frozen=True)
class NodeSpec:
    """A node type. In the server process the functions are None: it knows nodes, it runs none.

    `takes_lists`: the function gets every input as a list and is called once. `keyed_by_id`: equal nodes of different
    ids have different results. `hidden` inputs by name are filled by the engine with what their kind says: PROMPT,
    DYNPROMPT, EXTRA_PNGINFO, UNIQUE_ID, … `needed(**inputs)` returns the names of the lazy inputs that the node wants
    evaluated (those not yet evaluated are None). `validate(**inputs)` returns True or a sentence that says what is
    wrong; inputs named in `validated` are checked by it alone, and the types of links too if that names
    `input_types`. Both get the context as the function does. One with `open_inputs` takes inputs of any other name as
    well, with the `open_options`, one with `open_links` those that are links. One with `open_outputs` gives outputs
    beyond the declared ones, all of that type. `checks_itself` is what another process knows of `validate`.
    `aliases` are other words by which people find the node.
    """

    id: str
    display_name: str
    category: str
    description: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    output_node: bool = False
    cached: bool = True
    context_parameter: str | None = None
    module: str = "nodes"
    takes_lists: bool = False
    keyed_by_id: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])
    open_inputs: bool = False
    open_options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    open_links: bool = False
    open_outputs: str | None = None
    validated: frozenset[str] = frozenset()
    checks_itself: bool = False
    deprecated: bool = False
    experimental: bool = False
    aliases: tuple[str, ...] = ()
    function: Callable[..., Any] | None = field(default=None, compare=False)
    fingerprint: Callable[..., str] | None = field(default=None, compare=False)
    needed: Callable[..., Iterable[str]] | None = field(default=None, compare=False)
    validate: Callable[..., bool | str] | None = field(default=None, compare=False)

    def input(self, name: str) -> InputSpec | None:
        """Returns the input of that name, or None."""
        return next((one for one in self.inputs if one.name == name), None)

    def output(self, number: int) -> OutputSpec | None:
        """Returns the output of that number, which may be beyond the declared ones, or None."""
        if 0 <= number < len(self.outputs):
            return self.outputs[number]
        return None if self.open_outputs is None or number < 0 else OutputSpec(self.open_outputs, self.open_outputs)

    def without_code(self) -> "NodeSpec":
        """Returns what may cross to another process."""
        checks_itself = self.checks_itself or self.validate is not None
        return replace(self, function=None, fingerprint=None, needed=None, validate=None, checks_itself=checks_itself)


class Shown(NamedTuple):
    """A result together with what the editor shows on the node, in ComfyUI's form: {"images": [{"filename": …}]}.

    As a return type it says that there is no output; its result is None then. Annotate it to say which there is.
    """

    result: Any
    ui: Mapping[str, list[Any]]


class Expansion(NamedTuple):
    """A graph (in API format) to run in a node's place. `result` may hold links to its nodes, [id, output]."""

    result: tuple[Any, ...]
    graph: Mapping[str, Any]


@dataclass(frozen=True)
class Blocker:
    """An output value that keeps every node it reaches from running: silently, or with a message."""

    message: str | None = None


F = TypeVar("F", bound=Callable[..., Any])
NODE_ATTRIBUTE = "__node__"


def node(
    id: str,
    *,
    category: str,
    name: str | None = None,
    output: bool = False,
    cached: bool = True,
    outputs: tuple[str, ...] | None = None,
    fingerprint: Callable[..., str] | None = None,
    needed: Callable[..., Iterable[str]] | None = None,
    takes_lists: bool = False,
    deprecated: bool = False,
    experimental: bool = False,
) -> Callable[[F], F]:
    """Declares a typed function to be a node; the function itself stays as it is.

    `output` marks a node that is run for its effect. `cached=False` makes it run every time. `outputs` renames the
    outputs, which by default are called by their wire types. `fingerprint` is called with the same arguments as
    the function, links as None, and its text joins the cache key: nodes that read files tell the file's identity.
    `needed`, called with those arguments too, names the lazy inputs that are wanted. `takes_lists` is for functions
    whose parameters are all of type Sequence[…]: each gets every item at once. A result of type Sequence[…] is handed
    on item by item.
    """

    def declare(function: F) -> F:
        spec = NodeSpec(
            id=id,
            display_name=name or id,
            category=category,
            description=inspect.getdoc(function) or "",
            inputs=_inputs(function, takes_lists),
            outputs=_outputs(function, outputs),
            output_node=output,
            cached=cached,
            context_parameter=_context_parameter(function),
            takes_lists=takes_lists,
            deprecated=deprecated,
            experimental=experimental,
            function=_gathering(function),
            fingerprint=fingerprint,
            needed=needed,
        )
        setattr(function, NODE_ATTRIBUTE, spec)
        return function

    return declare


def spec_of(function: object) -> NodeSpec | None:
    """Returns the declaration of a node function, or None for any other object."""
    spec = getattr(function, NODE_ATTRIBUTE, None)
    return spec if isinstance(spec, NodeSpec) else None


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function, include_extras=True)


def _context_parameter(function: Callable[..., Any]) -> str | None:
    return next((name for name, hint in _hints(function).items() if hint is Context and name != "return"), None)


def _inputs(function: Callable[..., Any], takes_lists: bool) -> tuple[InputSpec, ...]:
    hints = _hints(function)
    found: list[InputSpec] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints:
            raise NodeDeclarationError(
                f"{function.__name__}: no type hint for '{parameter.name}'. Add one: it says what may be wired to it."
            )
        hint = hints[parameter.name]
        if hint is Context:
            continue
        where = f"{function.__name__}.{parameter.name}"
        default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
        if takes_lists and _group_of(hint) is None:
            hint, is_list = _without_sequence(hint)
            if not is_list:
                raise NodeDeclarationError(f"{where}: a node that takes lists needs the type Sequence[…] here.")
            default = default if isinstance(default, Required) else default[0]
        found.append(_input(where, parameter.name, hint, default, takes_lists))
    return tuple(found)


def _without_sequence(hint: Any) -> tuple[Any, bool]:
    """Splits `Sequence[X]` into X and whether it was one."""
    return (get_args(hint)[0], True) if get_origin(hint) is Sequence else (hint, False)


def _input(where: str, name: str, hint: Any, default: Any, takes_lists: bool = False) -> InputSpec:
    hint, optional = _without_none(hint)
    base, extras = _unwrapped(hint)
    help = next((extra for extra in extras if isinstance(extra, Help)), Help())
    match _group_of(hint):
        case Grows() as grows:
            return InputSpec(name, GROWING, _growing(where, base, grows, takes_lists), tooltip=help.text)
        case Variants() as variants:
            return InputSpec(name, DEPENDENT, _dependent(where, variants, takes_lists), tooltip=help.text)
        case None:
            pass
    widget = next((extra for extra in extras if isinstance(extra, WIDGETS)), None)
    type = _wire_type(where, base, extras)
    if widget is None and get_origin(base) is Literal:
        widget = Choice(tuple(get_args(base)))
    if type == "STRING" and widget is None:
        widget = Text()
    if type in ("INT", "FLOAT") and not isinstance(widget, Number):
        raise NodeDeclarationError(
            f"{where}: a number needs limits. Write Annotated[{base.__name__}, Number(min, max)]."
        )
    return InputSpec(name, type, widget, default, optional, help.text, help.advanced, help.lazy, late=help.late)


def _group_of(hint: Any) -> Grows | Variants | None:
    """What makes a parameter stand for several inputs."""
    return next((extra for extra in _unwrapped(hint)[1] if isinstance(extra, Grows | Variants)), None)


def _growing(where: str, base: Any, grows: Grows, takes_lists: bool) -> Growing:
    expected = Mapping if grows.names else Sequence
    if get_origin(base) is not expected:
        raise NodeDeclarationError(f"{where}: inputs that grow need the type {expected.__name__}[…] here.")
    hint = get_args(base)[-1]
    if takes_lists:
        hint, is_list = _without_sequence(hint)
        if not is_list:
            raise NodeDeclarationError(f"{where}: a node that takes lists needs a Sequence[…] for each input here.")
    template = _input(where, grows.child, hint, REQUIRED)
    if grows.names:
        return Growing(template, grows.names, min=grows.min)
    return Growing(template, tuple(f"{grows.child}{number}" for number in range(grows.max)), grows.child, grows.min)


def _dependent(where: str, variants: Variants, takes_lists: bool) -> Dependent:
    options = {word: _inputs(made, takes_lists=False) for word, made in variants.classes.items()}
    if takes_lists or any(isinstance(one.widget, Growing | Dependent) for part in options.values() for one in part):
        raise NodeDeclarationError(f"{where}: a choice with inputs of its own takes neither lists nor other groups.")
    return Dependent(options)


def _gathering(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as the engine calls it: by `group.part`, where its parameter is the group."""
    groups = {name: group for name, hint in _hints(function).items() if (group := _group_of(hint)) is not None}
    if not groups:
        return function

    @wraps(function)
    def gathered(**inputs: Any) -> Any:
        parts: dict[str, dict[str, Any]] = {name: {} for name in groups}
        for name in [name for name in inputs if "." in name]:
            group, _, part = name.partition(".")
            parts[group][part] = inputs.pop(name)
        made = {name: group.gather(inputs.pop(name, None), parts[name]) for name, group in groups.items()}
        return function(**inputs, **made)

    return gathered


def _without_none(hint: Any) -> tuple[Any, bool]:
    """Splits `X | None` into X and whether None was there."""
    if get_origin(hint) is Annotated:
        return hint, False
    members = get_args(hint)
    if NoneType not in members:
        return hint, False
    rest = [member for member in members if member is not NoneType]
    return (rest[0] if len(rest) == 1 else hint), True


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(hint) is not Annotated:
        return hint, ()
    base, *extras = get_args(hint)
    return base, tuple(extras)


PRIMITIVES = {bool: "BOOLEAN", int: "INT", float: "FLOAT", str: "STRING"}


def _wire_type(where: str, base: Any, extras: tuple[Any, ...]) -> str:
    for extra in extras:
        if isinstance(extra, Socket):
            return extra.type
        if isinstance(extra, Choice | FileChoice):
            return "COMBO"
    if get_origin(base) is Literal:
        return "COMBO"
    if base in PRIMITIVES:
        return PRIMITIVES[base]
    raise NodeDeclarationError(f'{where}: {base!r} has no wire type. Annotate it with Socket("NAME").')


def _outputs(function: Callable[..., Any], names: tuple[str, ...] | None) -> tuple[OutputSpec, ...]:
    hints = _hints(function)
    if "return" not in hints:
        raise NodeDeclarationError(f"{function.__name__}: no return type. Add one (None if it has no output).")
    result = hints["return"]
    where = f"{function.__name__} returns"
    if result is NoneType or result is None or result is Shown:
        return ()
    base, extras = _unwrapped(result)
    fields = getattr(base, "_fields", None)
    if extras or fields is None:
        return (_output(where, result, names[0] if names else None),)
    of_field = get_type_hints(base, include_extras=True)
    named = zip(fields, names or [None] * len(fields), strict=True)
    return tuple(_output(where, of_field[field], name) for field, name in named)


def _output(where: str, hint: Any, name: str | None) -> OutputSpec:
    hint, is_list = _without_sequence(hint)
    type = _wire_type(where, *_unwrapped(hint))
    return OutputSpec(name or type, type, is_list=is_list)
