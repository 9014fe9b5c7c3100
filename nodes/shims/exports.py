"""Turns objects into modules that can be imported."""

from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from nodes.shims import absent


def public(instance: object) -> dict[str, Any]:
    """The public attributes and methods of an object, as a module has functions."""
    return {name: getattr(instance, name) for name in dir(instance) if not name.startswith("_")}


def module(name: str, attributes: Mapping[str, Any]) -> ModuleType:
    """A module with these attributes; one that it has not is refused by name, classes when one is made. It is a
    package, so that it may have members."""
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, loader=None, is_package=True)
    made.__path__ = []
    made.__dict__.update(attributes)
    answer_missing(made, lambda attribute: absent.missing(name, attribute))
    return made


def answer_missing(asked: ModuleType, find: Callable[[str], Any]) -> None:
    """Has a module answer what `find` finds for attributes that it has not, each looked for once."""

    def missing(attribute: str) -> Any:
        found = find(attribute)
        setattr(asked, attribute, found)
        return found

    asked.__dict__["__getattr__"] = missing
