"""The texts that a PNG carries beside its pixels, read chunk by chunk without believing any length in it."""

import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from execution.headless.errors import HeadlessError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LONGEST_KEYWORD = 79
LONGEST_TEXT = 32 << 20
"""Bytes, also once decompressed."""

MOST_CHUNKS = 1 << 20

KINDS = frozenset({b"tEXt", b"zTXt", b"iTXt", b"comf"})
"""Those with texts; the last is like the first, and holds what made an animation."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk with a text: its keyword, and the offset and length of its data."""

    kind: bytes
    keyword: str
    start: int
    length: int


def read_texts(file: BinaryIO, keywords: Collection[str]) -> dict[str, str]:
    """The texts under these keywords, the first of each (PNG specification, third edition, 11.3.3).

    Raises HeadlessError.
    """
    found: dict[str, str] = {}
    for chunk in _chunks(file):
        if chunk.keyword in keywords and chunk.keyword not in found:
            found[chunk.keyword] = _text(chunk, _data(file, chunk))
    return found


def _chunks(file: BinaryIO) -> Iterator[_Chunk]:
    size = file.seek(0, 2)
    position = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            raise HeadlessError("The PNG is cut off.")
        length, kind = struct.unpack(">I4s", header)
        start = position + 8
        position = start + length + 4
        if position > size:
            raise HeadlessError("The PNG is cut off or damaged: a chunk reaches beyond its end.")
        if kind == b"IEND":
            return
        if kind in KINDS:
            keyword = file.read(min(length, LONGEST_KEYWORD + 1)).partition(b"\0")[0]
            yield _Chunk(kind, keyword.decode("latin-1"), start, length)
    raise HeadlessError(f"The PNG has more than {MOST_CHUNKS} chunks.")


def _data(file: BinaryIO, chunk: _Chunk) -> bytes:
    """The data after the keyword, if its checksum is right."""
    if chunk.length > LONGEST_TEXT:
        raise HeadlessError(f'The text "{chunk.keyword}" of the PNG is larger than {LONGEST_TEXT >> 20} MiB.')
    file.seek(chunk.start)
    data = file.read(chunk.length)
    (expected,) = struct.unpack(">I", file.read(4))
    if zlib.crc32(data, zlib.crc32(chunk.kind)) != expected:
        raise HeadlessError(f'The text "{chunk.keyword}" of the PNG is damaged: its checksum is wrong.')
    return data.partition(b"\0")[2]


def _text(chunk: _Chunk, data: bytes) -> str:
    try:
        match chunk.kind:
            case b"tEXt" | b"comf":
                return _decoded(data)
            case b"zTXt":
                return _decoded(_inflated(data[1:], chunk))
            case _:
                is_compressed = data[:1] == b"\1"
                # Two flags, then a language and a translated keyword, each ended by a NUL.
                text = data[2:].split(b"\0", 2)[2]
                return (_inflated(text, chunk) if is_compressed else text).decode("utf-8")
    except (IndexError, UnicodeDecodeError, zlib.error) as error:
        raise HeadlessError(f'The text "{chunk.keyword}" of the PNG cannot be read: {error}.') from error


def _decoded(data: bytes) -> str:
    """The text, which is Latin-1 by the specification, and UTF-8 in many files that programs for browsers write."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _inflated(data: bytes, chunk: _Chunk) -> bytes:
    stream = zlib.decompressobj()
    text = stream.decompress(data, LONGEST_TEXT)
    if not stream.eof:
        raise HeadlessError(
            f'The text "{chunk.keyword}" of the PNG is damaged or larger than {LONGEST_TEXT >> 20} MiB.'
        )
    return text
