"""Safetensors headers, most of them lying: each is refused with its reason before anything is believed."""

import io
import json
import struct
from typing import Any

import pytest

from models.loading.header import MAX_HEADER_BYTES, Header, ModelFileError, read_header


def packed(header: bytes, data: bytes = b"", claimed: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if claimed is None else claimed) + header + data


def read(content: bytes) -> Header:
    return read_header(io.BytesIO(content), len(content))


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def with_header(fields: Any, data: bytes = bytes(8)) -> bytes:
    return packed(json.dumps(fields).encode(), data)


def test_a_true_header_gives_each_tensors_type_shape_and_place() -> None:
    fields = {"b.weight": entry("F16", [2, 2], [0, 8]), "a": entry("U8", [], [8, 9]), "__metadata__": {"k": "v"}}
    content = with_header(fields, bytes(9))
    header = read(content)
    assert header.metadata == {"k": "v"}
    assert header.entries["b.weight"].shape == (2, 2)
    assert header.entries["b.weight"].dtype == "F16"
    assert header.entries["a"].shape == ()
    assert header.entries["a"].end == len(content)
    assert header.entries["a"].start == len(content) - 1


def test_a_tensor_without_elements_takes_no_place() -> None:
    assert read(with_header({"a": entry(shape=[0, 3], offsets=[0, 0])}, b"")).entries["a"].shape == (0, 3)


LIES = {
    "header larger than allowed": (packed(b"{}", claimed=MAX_HEADER_BYTES + 1), "claims a header"),
    "header of 2^63 bytes": (packed(b"{}", claimed=1 << 63), "claims a header"),
    "header beyond the file": (packed(b"{}", claimed=1000), "cut off"),
    "no JSON": (packed(b"{nonsense"), "not valid JSON"),
    "no UTF-8": (packed(b'{"\xff": 1}'), "not valid JSON"),
    "nested 50000 deep": (packed(b'{"a":' * 50_000), "not valid JSON"),
    "a number of 5000 digits": (packed(b'{"a":' + b"9" * 5000 + b"}"), "not valid JSON"),
    "a list": (packed(b"[]"), "not a JSON object"),
    "the same key twice": (packed(b'{"a":{},"a":{}}'), "twice"),
    "metadata that is no table": (with_header({"__metadata__": [1]}), "metadata"),
    "metadata that is no text": (with_header({"__metadata__": {"a": {"b": "c"}}}), "metadata"),
    "an entry that is no table": (with_header({"a": 1}), "does not describe"),
    "an entry with more than it should": (with_header({"a": entry() | {"code": "x"}}), "does not describe"),
    "an unknown element type": (with_header({"a": entry(dtype="F4")}), "unknown type"),
    "a negative side": (with_header({"a": entry(shape=[-2])}), "impossible shape"),
    "a side that is true": (with_header({"a": entry(shape=[True, 2])}), "impossible shape"),
    "a fractional side": (with_header({"a": entry(shape=[2.0])}), "impossible shape"),
    "a negative place": (with_header({"a": entry(offsets=[-8, 0])}), "impossible shape"),
    "a thousand sides": (with_header({"a": entry(shape=[1] * 1000)}), "impossible shape"),
    "a shape that lies": (with_header({"a": entry(shape=[3])}), "does not fit its 8 bytes"),
    "a shape that overflows": (with_header({"a": entry(shape=[1 << 62, 1 << 62])}), "does not fit its 8 bytes"),
    "an end before the start": (with_header({"a": entry(offsets=[8, 0])}), "does not fit"),
    "overlapping tensors": (with_header({"a": entry(), "b": entry()}), "do not follow"),
    "a hole": (with_header({"a": entry(offsets=[4, 12])}, bytes(12)), "do not follow"),
    "cut off": (with_header({"a": entry()}, bytes(7)), "cut off"),
    "bytes of no tensor": (with_header({"a": entry()}, bytes(9)), "belong to no tensor"),
    "a key with two underscores": (with_header({"a.__class__.b": entry()}), "which no model has"),
    "a key of a megabyte": (with_header({"a" * 1_000_000: entry()}), "which no model has"),
    "a key with a line break": (with_header({"a\nb": entry()}), "which no model has"),
    "an empty key": (with_header({"": entry()}), "which no model has"),
    "a hundred thousand tensors": (
        with_header({str(i): entry(shape=[0], offsets=[0, 0]) for i in range(100_001)}, b""),
        "more than 100000",
    ),
}


@pytest.mark.parametrize(("content", "reason"), LIES.values(), ids=LIES)
def test_a_header_that_lies_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ModelFileError, match=reason):
        read(content)


def test_a_refusal_does_not_repeat_a_whole_hostile_key() -> None:
    with pytest.raises(ModelFileError) as refusal:
        read(with_header({"\n" * 1_000_000: entry()}))
    assert len(str(refusal.value)) < 500
