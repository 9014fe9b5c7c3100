"""Streams of the console: what is written there, and what becomes of it when nobody reads."""

import contextlib
import os
import sys
import unicodedata
from pathlib import Path
from typing import Protocol, TextIO


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> None: ...

    def isatty(self) -> bool: ...


class Console:
    """A standard stream of the process. A reader who leaves (`| head`) ends nothing; what follows is not written.

    `failure` is why else the stream could not be written. A process may be without the stream from the start.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    @classmethod
    def of_results(cls) -> "Console":
        """Standard output for results alone: what nodes print there from now on goes to standard error.

        Paths are written byte by byte as the file system has them, be they text or not.
        """
        if sys.stdout is None:
            return cls(None)
        encoding, errors = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
        results = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding=encoding, errors=errors)
        _redirect(sys.stdout, sys.stderr)
        return cls(results)

    def write(self, text: str, /) -> None:
        """Write at once."""
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            # The interpreter tries to write what the stream still holds once more in the end.
            _redirect(self._stream, None)
            self._stream = None
            self.failure = None if isinstance(error, BrokenPipeError) else error

    def flush(self) -> None:
        """Nothing waits."""

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()


def _redirect(stream: TextIO, to: TextIO | None) -> None:
    """Have what is written to one stream from now on, and what it still holds, go to another, or nowhere."""
    with contextlib.ExitStack() as stack:
        to = to or stack.enter_context(Path(os.devnull).open("w"))
        os.dup2(to.fileno(), stream.fileno())


def printable(text: str) -> str:
    """The text without characters that a terminal would obey; titles come from files of others."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def fitting(text: str, columns: int) -> str:
    """The beginning of a printable text that a terminal shows in so many columns."""
    for end, character in enumerate(text):
        columns -= _columns(character)
        if columns < 0:
            return text[:end]
    return text


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
