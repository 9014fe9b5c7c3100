"""Turns objects into modules that can be imported."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from nodes.v1.runtime import NotOfferedError


def public(instance: object) -> dict[str, Any]:
    """The public attributes and methods of an object, as a module has functions."""
    return {name: getattr(instance, name) for name in dir(instance) if not name.startswith("_")}


def module(name: str, attributes: Mapping[str, Any]) -> ModuleType:
    """A module with these attributes; one that it has not is refused by name. It is a package, so that it may have
    members."""

    def missing(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise NotOfferedError(f"{name}.{attribute}")

    made = ModuleType(name)
    made.__path__ = []
    made.__dict__.update(attributes)
    made.__dict__["__getattr__"] = missing
    return made
