"""`comfy_api.latest.io`: types that stand for one of several, and inputs that stand for several."""

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any, ClassVar

from nodes.inputs import DEPENDENT, GROWING
from nodes.shims.io_types import ComfyType, Input, Output, WidgetInput, grouped


def union_of(types: Iterable[Any]) -> str:
    """The types as one on the wire: their names with commas between them."""
    return ",".join(dict.fromkeys(one if isinstance(one, str) else one.io_type for one in types))


class MultiTypeInput(Input):
    """An input of one of several types; with a widget, if it is given an input that has one as its id."""

    def __init__(self, id: Any, types: Sequence[Any], *arguments: Any, **more: Any) -> None:
        self._drawn = id if isinstance(id, Input) else None
        super().__init__(id.id if isinstance(id, Input) else id, *arguments, **more)
        self._types = [*([] if self._drawn is None else [self._drawn]), *types]
        self.optional = self.optional or (self._drawn is not None and self._drawn.optional)

    def get_io_type(self) -> str:
        """The types on the wire."""
        return union_of(self._types)

    def as_dict(self) -> dict[str, Any]:
        """What is said of the input beside its type."""
        own = super().as_dict()
        if self._drawn is None:
            return own
        drawn = self._drawn.as_dict() | own
        return drawn | ({"widgetType": self._drawn.get_io_type()} if isinstance(self._drawn, WidgetInput) else {})


class MultiType(ComfyType):
    """Values of one of several types."""

    Input = MultiTypeInput


class MatchTemplate:
    """Says that several inputs and outputs are of one type, whichever of the allowed ones it is."""

    def __init__(self, template_id: str, allowed_types: Any = None) -> None:
        self.template_id = template_id
        allowed = [ComfyType] if allowed_types is None else allowed_types
        self.allowed_types = list(allowed) if isinstance(allowed, list | tuple) else [allowed]

    @property
    def io_type(self) -> str:
        """The allowed types on the wire."""
        return union_of(self.allowed_types)

    def as_dict(self) -> dict[str, Any]:
        """The template as INPUT_TYPES writes it."""
        return {"template_id": self.template_id, "allowed_types": self.io_type}


class MatchInput(Input):
    """An input of the type that its template stands for."""

    def __init__(self, id: str, template: MatchTemplate, *arguments: Any, **more: Any) -> None:
        super().__init__(id, *arguments, **more)
        self.template = template

    def get_io_type(self) -> str:
        """The allowed types."""
        return self.template.io_type


class MatchOutput(Output):
    """An output of the type that its template stands for."""

    def __init__(self, template: MatchTemplate, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.template = template

    def get_io_type(self) -> str:
        """The allowed types."""
        return self.template.io_type


class MatchType(ComfyType):
    """Values of one type, whichever it is."""

    Template = MatchTemplate
    Input = MatchInput
    Output = MatchOutput


class TemplatePrefix:
    """Inputs like this one, called by a prefix and their number."""

    def __init__(self, input: Input, prefix: str, min: int = 1, max: int = 10) -> None:
        self.input, self.prefix, self.min, self.max = input, prefix, min, max

    def as_dict(self) -> dict[str, Any]:
        """The template as INPUT_TYPES writes it."""
        return {"input": _wired(self.input), "prefix": self.prefix, "min": self.min, "max": self.max}


class TemplateNames:
    """Inputs like this one by their names."""

    def __init__(self, input: Input, names: Sequence[str], min: int = 1) -> None:
        self.input, self.names, self.min = input, list(names), min

    def as_dict(self) -> dict[str, Any]:
        """The template as INPUT_TYPES writes it."""
        return {"input": _wired(self.input), "names": self.names, "min": self.min}


def _wired(one: Input) -> dict[str, Any]:
    """The input, to be given by wires alone."""
    if not isinstance(one, WidgetInput):
        return grouped([one])
    wired = copy(one)
    wired.extra_dict = {**one.extra_dict, "forceInput": True}
    return grouped([wired])


class AutogrowInput(Input):
    """Inputs of one kind that become more as they are connected."""

    io_type = GROWING

    def __init__(self, id: str, template: TemplatePrefix | TemplateNames, *arguments: Any, **more: Any) -> None:
        super().__init__(id, *arguments, **more)
        self.template = template


class Autogrow(ComfyType):
    """Values by the names of the inputs that have grown."""

    io_type = GROWING
    Type: ClassVar[Any] = dict[str, Any]
    TemplatePrefix = TemplatePrefix
    TemplateNames = TemplateNames
    Input = AutogrowInput


class ComboOption:
    """A word to choose, and the inputs that it brings."""

    def __init__(self, key: Any, inputs: Sequence[Input]) -> None:
        self.key = getattr(key, "value", key)
        self.inputs = list(inputs)

    def as_dict(self) -> dict[str, Any]:
        """The option as INPUT_TYPES writes it."""
        return {"key": self.key, "inputs": grouped(self.inputs)}


class DynamicComboInput(Input):
    """A choice of words that bring inputs of their own."""

    io_type = DEPENDENT

    def __init__(self, id: str, options: Sequence[ComboOption], *arguments: Any, **more: Any) -> None:
        super().__init__(id, *arguments, **more)
        self.options = list(options)

    def as_dict(self) -> dict[str, Any]:
        """What is said of the input beside its type."""
        return super().as_dict() | {"options": [one.as_dict() for one in self.options]}


class DynamicCombo(ComfyType):
    """The word that is chosen, under the input's own name, and the values of what it brings."""

    io_type = DEPENDENT
    Type: ClassVar[Any] = dict[str, Any]
    Option = ComboOption
    Input = DynamicComboInput


GROUPS = {one.__name__: one for one in (MultiType, MatchType, Autogrow, DynamicCombo)}
"""What `io` offers of these."""
