"""JSON that is kept as text."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class JsonText:
    """A value as JSON text. It travels between disk, sockets and processes without being read; `read` makes it new."""

    text: str

    @classmethod
    def of(cls, value: Any) -> "JsonText":
        """Write a value that came out of a JSON parser."""
        return cls(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))

    def read(self) -> Any:
        return json.loads(self.text)
