"""The texts that a WEBP carries: ASCII entries of its EXIF block, each beginning with a keyword and a colon."""

import struct
from collections.abc import Collection, Iterator
from typing import BinaryIO

from execution.headless.errors import HeadlessError

HEADER = 12
"""Bytes of "RIFF", a length, "WEBP"."""

LARGEST_BLOCK = 64 << 20
LONGEST_KEYWORD = 79
ASCII = 2
ENTRY = 12
"""Bytes of an entry in a TIFF directory: tag, type, count, and the value or its offset."""


def is_webp(start: bytes) -> bool:
    """Whether a file begins as a WEBP does, by its first HEADER bytes."""
    return start[:4] == b"RIFF" and start[8:12] == b"WEBP"


def read_texts(file: BinaryIO, keywords: Collection[str]) -> dict[str, str]:
    """The texts under these keywords. Raises HeadlessError."""
    found: dict[str, str] = {}
    block = _exif(file)
    for place, length in _texts(block):
        start, colon, _ = block[place : place + min(length, LONGEST_KEYWORD + 1)].partition(b":")
        keyword = start.decode("ascii", "replace").lower()
        # Entries may share one text: each is looked at, and only what is wanted is copied.
        if colon and keyword in keywords and keyword not in found:
            found[keyword] = block[place + len(start) + 1 : place + length].rstrip(b"\0").decode("utf-8", "replace")
    return found


def _exif(file: BinaryIO) -> bytes:
    """The EXIF block, empty if there is none (WebP container specification, RIFF file format)."""
    size = file.seek(0, 2)
    position = HEADER
    while position + 8 <= size:
        file.seek(position)
        kind, length = struct.unpack("<4sI", file.read(8))
        if position + 8 + length > size:
            raise HeadlessError("The WEBP is cut off or damaged: a chunk reaches beyond its end.")
        if kind == b"EXIF":
            if length > LARGEST_BLOCK:
                raise HeadlessError(f"The EXIF block of the WEBP is larger than {LARGEST_BLOCK >> 20} MiB.")
            return file.read(length).removeprefix(b"Exif\0\0")
        position += 8 + length + length % 2
    return b""


def _texts(block: bytes) -> Iterator[tuple[int, int]]:
    """Where the ASCII entries of the first directory begin, and how long they are (TIFF 6.0, section 2). A block that
    makes no sense has none."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 10:
        return
    (start,) = struct.unpack_from(order + "I", block, 4)
    if start + 2 > len(block):
        return
    (count,) = struct.unpack_from(order + "H", block, start)
    for offset in range(start + 2, min(start + 2 + count * ENTRY, len(block) - ENTRY + 1), ENTRY):
        _, kind, length, place = struct.unpack_from(order + "HHII", block, offset)
        if kind == ASCII and length > 4 and place + length <= len(block):
            yield place, length
