"""Which of a node's inputs are lazy or raw, those among them that it does not declare."""

from collections.abc import Container
from dataclasses import dataclass
from string import digits

from nodes.inputs import possible
from nodes.spec import NodeSpec


@dataclass(frozen=True, slots=True)
class OpenNames(Container[str]):
    """The `names` of some inputs, and of inputs beyond the `declared` ones: all of these where there are `others`,
    and those that differ from a name in the number at its end only where they are `numbered`."""

    names: frozenset[str]
    declared: frozenset[str]
    others: bool
    numbered: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.names or self.others)

    def __contains__(self, name: object) -> bool:
        if name in self.declared or not isinstance(name, str):
            return name in self.names
        return self.others or (name[-1:].isdigit() and name.rstrip(digits) in self.numbered)


def lazy_names(spec: NodeSpec) -> frozenset[str] | OpenNames:
    """The inputs that are evaluated when the node asks for them."""
    names = frozenset(one.name for one in possible(spec.inputs) if one.lazy)
    # Editors add `input2` and `input3` to a node that declares `input1`, for which it can ask in the same way.
    numbered = names if spec.open_links and spec.needed is not None else ()
    return _names(spec, names, "lazy", frozenset(one.rstrip(digits) for one in numbered if one[-1:].isdigit()))


def raw_names(spec: NodeSpec) -> frozenset[str] | OpenNames:
    """The inputs that get the link itself, [id, output], instead of what comes through it."""
    names = frozenset(one.name for one in possible(spec.inputs) if one.options.get("rawLink"))
    return _names(spec, names, "rawLink", frozenset())


def _names(spec: NodeSpec, names: frozenset[str], option: str, numbered: frozenset[str]) -> frozenset[str] | OpenNames:
    others = spec.open_inputs and bool(spec.open_options.get(option))
    if not (others or numbered):
        return names
    return OpenNames(names, frozenset(one.name for one in possible(spec.inputs)), others, numbered)
