"""Files of pictures: names for new ones, safe writing, and the identity of those that are read."""

import errno
import os
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from nodes.paths import resolve

WITHOUT_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What disks say that have no hard links: exFAT, some network folders."""

UNFINISHED = ".part"
LONGEST_WRITE = 3600.0
"""Seconds after which a file that nobody has finished is nobody's."""


def fingerprint_of(path: Path) -> str:
    """Tells a file's identity for the cache: where it is, how large, when it was written, and when anything of it was
    changed, as a file that is put in its place may bring its own time of writing along."""
    status = path.stat()
    return f"{path}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def expand_prefix(prefix: str, width: int, height: int) -> str:
    """Replaces %width%, %height%, %year%, %month%, %day%, %hour%, %minute% and %second% in a file name prefix."""
    now = time.localtime()
    values = {
        "width": str(width),
        "height": str(height),
        "year": f"{now.tm_year:04d}",
        "month": f"{now.tm_mon:02d}",
        "day": f"{now.tm_mday:02d}",
        "hour": f"{now.tm_hour:02d}",
        "minute": f"{now.tm_min:02d}",
        "second": f"{now.tm_sec:02d}",
    }
    return re.sub(r"%(\w+)%", lambda match: values.get(match[1], match[0]), prefix)


class NumberedFiles:
    """Files `prefix_00001_.png`, `prefix_00002_.png`, … in a folder; the prefix may begin with subfolders.

    `lasting` files are forced to the disk. Raises UnsafeNameError if the prefix leads out of the folder.
    """

    def __init__(self, root: Path, prefix: str, *, lasting: bool = True) -> None:
        base = resolve(root, prefix + "_")
        self.folder = base.parent
        self.subfolder = "" if base.parent == root else base.parent.relative_to(root).as_posix()
        self._stem = base.name[:-1]
        self._lasting = lasting
        self.folder.mkdir(parents=True, exist_ok=True)
        pattern = re.compile(re.escape(self._stem) + r"_(\d+)_?\.\w+")
        names = os.listdir(self.folder)
        numbers = [int(match[1]) for name in names if (match := pattern.fullmatch(name))]
        self._next = max(numbers, default=0) + 1
        _remove_abandoned(self.folder, names)

    @property
    def next_number(self) -> int:
        """The number of the next file."""
        return self._next

    def write(self, suffix: str, save: Callable[[BinaryIO], None], batch_number: int = 0) -> str:
        """Writes the next file, whole or not at all, and returns its name.

        The content goes to a hidden file beside it, which then gets the name; a name that somebody else took in between
        is not overwritten.
        """
        stem = self._stem.replace("%batch_num%", str(batch_number))
        aside = self.folder / f".{stem[:100]}.{os.getpid()}.{self._next}{UNFINISHED}"
        try:
            with open(aside, "wb") as file:
                save(file)
                file.flush()
                if self._lasting:
                    os.fsync(file.fileno())
            while True:
                name = f"{stem}_{self._next:05}_{suffix}"
                self._next += 1
                if _take_name(aside, self.folder / name):
                    if self._lasting:
                        _force_directory(self.folder)
                    return name
        finally:
            aside.unlink(missing_ok=True)


def _remove_abandoned(folder: Path, names: Iterable[str]) -> None:
    """Deletes what processes that were killed have begun to write."""
    for name in names:
        if name.startswith(".") and name.endswith(UNFINISHED):
            with suppress(FileNotFoundError):
                if time.time() - (folder / name).stat().st_mtime > LONGEST_WRITE:
                    (folder / name).unlink()


def _take_name(aside: Path, path: Path) -> bool:
    """Gives a finished file its name, unless somebody has that already; returns whether it was free."""
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in WITHOUT_LINKS:
            raise
        return _rename(aside, path)
    return True


def _rename(aside: Path, path: Path) -> bool:
    """Does the same on disks without hard links; there the name belongs to an empty file for a moment."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    os.replace(aside, path)
    return True


def _force_directory(folder: Path) -> None:
    """Makes a new name in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
