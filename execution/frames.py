"""How messages cross the pipe between server and worker: as JSON, so that neither side can make the other run code."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from execution import cache, devices, engine, events, json_text, messages
from nodes import context, inputs, paths, spec

MODULES: tuple[ModuleType, ...] = (messages, events, engine, json_text, devices, cache, context, paths, inputs, spec)
"""Where the records are declared that a message may be made of."""

LARGEST = 256 << 20
"""Bytes of one message."""

KIND, VALUE = "$", "value"

ATOMS = frozenset({str, int, float, bool, type(None)})
"""Types whose values JSON has; most of what is told is of these."""


class FrameError(ValueError):
    """What came over the pipe is no message."""


class Frames:
    """Writes and reads messages: records, and in them texts, numbers, bytes, paths, mappings and sequences."""

    def __init__(self) -> None:
        self._records = {
            name: (kind, [field.name for field in fields(kind)])
            for module in MODULES
            for name, kind in vars(module).items()
            if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__
        }
        self._encoder = json.JSONEncoder(separators=(",", ":"))
        self._decoder = json.JSONDecoder(object_hook=self._made)

    def write(self, message: object) -> bytes:
        return self._encoder.encode(self._plain(message)).encode()

    def read(self, data: bytes) -> Any:
        """The message. Raises FrameError."""
        try:
            return self._decoder.decode(data.decode())
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise FrameError(f"{type(error).__name__}: {error}") from error

    def _plain(self, value: Any) -> Any:
        """The value in terms of JSON; what JSON does not have is an object that tells its kind."""
        kind = type(value)
        if kind in ATOMS or isinstance(value, (str, int, float)):
            return value
        record = self._records.get(kind.__name__)
        if record is not None and kind is record[0]:
            plain: dict[str, Any] = {KIND: kind.__name__}
            for name in record[1]:
                child = getattr(value, name)
                plain[name] = child if type(child) in ATOMS else self._plain(child)
            return plain
        if isinstance(value, list):
            return self._each(value)
        if isinstance(value, Mapping) and KIND not in value and all(isinstance(name, str) for name in value):
            return {name: self._plain(child) for name, child in value.items()}
        word, content = self._told(value)
        return {KIND: word, VALUE: content}

    def _each(self, values: Iterable[Any]) -> list[Any]:
        return [child if type(child) in ATOMS else self._plain(child) for child in values]

    def _told(self, value: Any) -> tuple[str, Any]:
        match value:
            case tuple():
                return "tuple", self._each(value)
            case Mapping():
                return "mapping", [[self._plain(name), self._plain(child)] for name, child in value.items()]
            case set() | frozenset():
                return "set", self._each(value)
            case bytes():
                return "bytes", base64.b64encode(value).decode("ascii")
            case Path():
                return "path", str(value)
            case _ if type(value) is type(spec.REQUIRED):
                return "required", None
            case _:
                raise TypeError(f"A {type(value).__name__} cannot cross the pipe: {value!r:.200}")

    def _made(self, data: dict[str, Any]) -> Any:
        kind = data.pop(KIND, None)
        match kind:
            case None:
                return data
            case "tuple":
                return tuple(data[VALUE])
            case "mapping":
                return {name: child for name, child in data[VALUE]}
            case "set":
                return frozenset(data[VALUE])
            case "bytes":
                return base64.b64decode(data[VALUE], validate=True)
            case "path":
                return Path(data[VALUE])
            case "required":
                return spec.REQUIRED
            case _:
                return self._records[kind][0](**data)
