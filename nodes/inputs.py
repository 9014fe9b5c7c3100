"""What the inputs of a node are: sockets, widgets, and inputs that stand for several. Needs no torch."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal


@dataclass(frozen=True)
class Number:
    """Limits of a number: an integer's if `type` of the parameter is int, a real's if it is float.

    `control_after_generate` offers to change it after each job; "fixed" offers that, and leaves it alone at first.
    """

    min: float
    max: float
    step: float = 1
    round: float | None = None
    control_after_generate: bool | Literal["fixed"] = False


@dataclass(frozen=True)
class Text:
    """How a text is typed in."""

    multiline: bool = False
    dynamic_prompts: bool = False


@dataclass(frozen=True)
class Choice:
    """One of a fixed list of words."""

    options: tuple[str, ...]


@dataclass(frozen=True)
class FileChoice:
    """The name of a file in a folder of the base directory: `checkpoints`, `loras`, `input`, …"""

    folder: str
    upload: bool = False


@dataclass(frozen=True)
class FilePrefix:
    """A text that begins the name of a new file; it may name subfolders of the folder that is written to."""


@dataclass(frozen=True)
class Socket:
    """A value that only another node can give, by its wire type: `MODEL`, `LATENT`, …"""

    type: str


@dataclass(frozen=True)
class Help:
    """Details of one input or output that its name and type do not say. A `lazy` input is evaluated if it is asked
    for by the node's `needed`, and None otherwise. A `late` one came to the node when there were files of it already:
    where these say nothing of it, the graph they stand for does not either, and running it takes the default."""

    text: str = ""
    advanced: bool = False
    lazy: bool = False
    late: bool = False


@dataclass(frozen=True)
class Grows:
    """Declares a Sequence[…], or a Mapping[str, …] by name, to be filled by inputs that grow in number as they are
    connected: `child` and a number from 0 on, at most `max` of them, or the `names`. The first `min` are required."""

    child: str
    min: int = 1
    max: int = 10
    names: tuple[str, ...] = ()

    def gather(self, chosen: Any, parts: Mapping[str, Any]) -> Any:
        """The parameter's value: the values by their names where these are given, else one after the other."""
        return dict(parts) if self.names else tuple(parts.values())


@dataclass(frozen=True)
class Variants:
    """Declares a union of frozen dataclasses to be a choice of words, each with the inputs that its class has."""

    classes: Mapping[str, type]

    def gather(self, chosen: Any, parts: Mapping[str, Any]) -> Any:
        """The parameter's value: an instance of the class that goes with the word."""
        return self.classes[chosen](**parts)


@dataclass(frozen=True)
class Growing:
    """A group of inputs like the `template`, of which the first `min` are required. They are called after their
    group: `images.image0`, `images.image1`, … By a `prefix` the names are numbered; without one they are given."""

    template: "InputSpec"
    names: tuple[str, ...]
    prefix: str = ""
    min: int = 1


@dataclass(frozen=True)
class Dependent:
    """A choice of words, each with inputs of its own. They are called after the choice: `resize_type.width`."""

    options: Mapping[str, tuple["InputSpec", ...]]


GROWING = "COMFY_AUTOGROW_V3"
DEPENDENT = "COMFY_DYNAMICCOMBO_V3"

WIDGETS = (Number, Text, Choice, FileChoice, FilePrefix)
Widget = Number | Text | Choice | FileChoice | FilePrefix | Growing | Dependent | None


class Required:
    """Marks an input without a default; a class of its own so that it stays itself across processes."""

    def __repr__(self) -> str:
        return "required"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Required)

    def __hash__(self) -> int:
        return hash(Required)


REQUIRED = Required()


@dataclass(frozen=True)
class InputSpec:
    """One input: a socket, or a value typed in by a widget (which a link may replace).

    `type` is ComfyUI's wire type: INT, FLOAT, STRING, BOOLEAN, COMBO or a socket's. `optional` inputs may stay
    unconnected; others without a value take `default`, and are a problem if that is REQUIRED. A `lazy` input is
    evaluated only if the node's `needed` asks for it. A `late` one is younger than its node. `options` are what a
    foreign node says of the input beyond that, shown to clients as it is.
    """

    name: str
    type: str
    widget: Widget = None
    default: Any = REQUIRED
    optional: bool = False
    tooltip: str = ""
    advanced: bool = False
    lazy: bool = False
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    late: bool = False

    @property
    def members(self) -> "Iterator[InputSpec]":
        """The inputs that a growing group stands for, by full names; of any other input there are none."""
        if isinstance(self.widget, Growing):
            template = self.widget.template
            for index, name in enumerate(self.widget.names):
                optional = index >= self.widget.min or self.optional or template.optional
                yield replace(template, name=f"{self.name}.{name}", optional=optional)

    def behind(self, word: Any) -> "Iterator[InputSpec]":
        """The inputs that a choice has for this word, by full names; of any other input there are none."""
        if isinstance(self.widget, Dependent) and isinstance(word, str):
            for one in self.widget.options.get(word, ()):
                yield replace(one, name=f"{self.name}.{one.name}")


def unfolded(inputs: Iterable[InputSpec], values: Mapping[str, Any]) -> Iterator[InputSpec]:
    """These inputs, each choice followed by what belongs to the word that is chosen, growing groups as they are.

    Values may be added while the inputs are gone through.
    """
    for one in inputs:
        yield one
        if isinstance(one.widget, Dependent):
            yield from unfolded(one.behind(values.get(one.name)), values)


def given(inputs: Iterable[InputSpec], values: Mapping[str, Any]) -> Iterator[InputSpec]:
    """All that a graph may give to these inputs, by full names, in order; the values of choices decide what that is."""
    for one in unfolded(inputs, values):
        if isinstance(one.widget, Growing):
            yield from one.members
        else:
            yield one


def possible(inputs: Iterable[InputSpec]) -> Iterator[InputSpec]:
    """All that a graph may ever give to these inputs, by full names, whatever is chosen."""
    for one in inputs:
        match one.widget:
            case Growing():
                yield from one.members
            case Dependent(options):
                yield one
                for word in options:
                    yield from possible(one.behind(word))
            case _:
                yield one
