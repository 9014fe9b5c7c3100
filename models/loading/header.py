"""The header of a safetensors file: what is in it and where, read without touching a tensor and without torch."""

import json
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

MAX_HEADER_BYTES = 100_000_000
MAX_TENSORS = 100_000
MAX_DIMENSIONS = 8

ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip

_KEY = re.compile(r"[ -~]{1,500}")


class ModelFileError(ValueError):
    """A file is not a model file that can be read safely. The message does not name the file's folder."""


@dataclass(frozen=True)
class Entry:
    """One tensor: its element type, its shape, and its bytes as offsets from the start of the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """All tensors by key, and the file's own notes."""

    entries: Mapping[str, Entry]
    metadata: Mapping[str, str]


def read_header(file: BinaryIO, size: int) -> Header:
    """Reads the header of a file of `size` ≥ 8 bytes, open at its start. Every offset in the result lies within it.

    Raises ModelFileError.
    """
    (length,) = struct.unpack("<Q", file.read(8))
    _check_length(length, size)
    fields = _parsed(file.read(length))
    metadata = _metadata(fields.pop("__metadata__", {}))
    if len(fields) > MAX_TENSORS:
        raise ModelFileError(f"the file lists {len(fields)} tensors, more than {MAX_TENSORS}")
    entries = {checked_key(key): _entry(key, value, 8 + length) for key, value in fields.items()}
    _check_layout(entries, 8 + length, size)
    return Header(entries, metadata)


def checked_key(key: Any) -> str:
    """Returns the key if it can be the name of a parameter. Raises ModelFileError."""
    if not isinstance(key, str) or not _KEY.fullmatch(key) or any(part.startswith("__") for part in key.split(".")):
        raise ModelFileError(f"the file holds a tensor under the key {str(key)[:80]!r}, which no model has")
    return key


def _check_length(length: int, size: int) -> None:
    if length > MAX_HEADER_BYTES:
        raise ModelFileError(f"the file claims a header of {length} bytes: it is damaged or not a safetensors file")
    if 8 + length > size:
        raise ModelFileError(
            f"the file has {size} bytes, and its header alone needs {8 + length}: the download was probably cut off"
        )


def _parsed(text: bytes) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key occurs twice")
        return found

    try:
        fields = json.loads(text.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"the header is not valid JSON ({str(error)[:80]}): the file is damaged") from None
    if not isinstance(fields, dict):
        raise ModelFileError("the header is not a JSON object: the file is damaged")
    return fields


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ModelFileError("the metadata in the header is not a table of texts: the file is damaged")
    return value


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _entry(key: str, value: Any, data_start: int) -> Entry:
    match value:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [start, end]} if len(value) == 3:
            pass
        case _:
            raise ModelFileError(f"the header does not describe the tensor {key} as it should: the file is damaged")
    if dtype not in ITEM_BYTES:
        raise ModelFileError(f"the tensor {key} has elements of the unknown type {dtype[:20]!r}")
    if len(shape) > MAX_DIMENSIONS or not all(map(_is_count, [*shape, start, end])):
        raise ModelFileError(f"the header gives the tensor {key} an impossible shape or place: the file is damaged")
    if math.prod(shape) * ITEM_BYTES[dtype] != end - start:
        raise ModelFileError(f"the tensor {key} of shape {shape} does not fit its {end - start} bytes in the file")
    return Entry(dtype, tuple(shape), data_start + start, data_start + end)


def _check_layout(entries: Mapping[str, Entry], data_start: int, size: int) -> None:
    """Tensors must fill the file from the header to its end, without holes or overlaps."""
    position = data_start
    for key, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].end)):
        if entry.start != position:
            raise ModelFileError(f"the bytes of the tensor {key} do not follow those before it: the file is damaged")
        position = entry.end
    if position > size:
        raise ModelFileError(
            f"the file has {size} bytes, and its tensors need {position}: the download was probably cut off"
        )
    if position < size:
        raise ModelFileError(f"{size - position} bytes at the end of the file belong to no tensor: it is damaged")
