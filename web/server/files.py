"""Writes files so that a full disk or a crash leaves either the old content or the new, never half of one."""

import errno
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from nodes.paths import UnsafeNameError

LONGEST_FILE_NAME = 120  # bytes, without what makes it unique
_UNWANTED = re.compile('[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # by Windows


@contextmanager
def staged(directory: Path) -> Iterator[IO[bytes]]:
    """A hidden file in `directory`, to be renamed when it is complete; it is removed if it still lies there."""
    directory.mkdir(parents=True, exist_ok=True)
    file = NamedTemporaryFile(dir=directory, prefix=".part-", delete=False)  # noqa: SIM115 closed below
    try:
        yield file.file
    finally:
        file.close()
        Path(file.name).unlink(missing_ok=True)


def publish(file: IO[bytes], target: Path) -> None:
    """Give a staged file its name, replacing what had it, once all of it has reached the disk."""
    file.flush()
    os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    os.chmod(file.name, 0o644)
    try:
        os.replace(file.name, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(Path(file.name), target)
    _sync_directory(target.parent)


def write(target: Path, content: bytes) -> None:
    """Replace the content of a file in one step."""
    with staged(target.parent) as file:
        file.write(content)
        publish(file, target)


def is_disk_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def file_name(name: str, suffixes: frozenset[str], suffix: str) -> str:
    """A harmless file name made of a person's own: the last part of a path, without what some system stumbles over.

    It ends in one of `suffixes`, if need be by adding `suffix`. Raises UnsafeNameError if nothing is left of it.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", _UNWANTED.sub("", name)))[-1]
    stem, dot, end = last.strip(" ").rpartition(".")
    if not dot or f".{end.lower()}" not in suffixes:
        stem, end = last, suffix.removeprefix(".")
    stem = stem.strip(" .").encode()[:LONGEST_FILE_NAME].decode(errors="ignore").rstrip(" .")
    if not stem:
        raise UnsafeNameError(f"The file name {name[:80]!r} has no usable part; give the file another name.")
    return f"{'_' if _RESERVED.fullmatch(stem) else ''}{stem}.{end}"


def free_name(directory: Path, name: str, content: Path) -> str:
    """`name`, or "name (1)" and so on if other content has it already; the same content keeps its name."""
    stem, dot, suffix = name.rpartition(".")
    digest = content_hash(content)
    number = 0
    candidate = name
    while (taken := directory / candidate).exists():
        if taken.is_file() and taken.stat().st_size == content.stat().st_size and content_hash(taken) == digest:
            return candidate
        number += 1
        candidate = f"{stem} ({number}){dot}{suffix}"
    return candidate


def content_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def _copy(source: Path, target: Path) -> None:
    """What a rename does within one disk, between two."""
    with source.open("rb") as content, staged(target.parent) as file:
        shutil.copyfileobj(content, file)
        publish(file, target)


def _sync_directory(directory: Path) -> None:
    """Make a rename durable, where the system lets directories be opened."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
