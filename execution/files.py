"""Which files an input may name, asked of the folders when a graph is checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nodes.paths import PathError, Paths


class Files(Protocol):
    """Names of files by folder: `checkpoints`, `loras`, `input`, …"""

    def choices(self, folder: str) -> Sequence[str]:
        """The names that are offered."""
        ...

    def has(self, folder: str, name: str) -> bool:
        """Whether a name leads to a file; more names do than are offered (`sub/x.png`, `x.png [output]`)."""
        ...


@dataclass(frozen=True, slots=True)
class FilesOnDisk:
    """The files below a base directory, listed fresh at every question."""

    paths: Paths

    def choices(self, folder: str) -> Sequence[str]:
        return self.paths.choices(folder)

    def has(self, folder: str, name: str) -> bool:
        try:
            if folder == "input":
                self.paths.user_file(name)
            else:
                self.paths.model_file(folder, name)
        except PathError:
            return False
        return True
