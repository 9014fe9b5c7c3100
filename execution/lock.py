"""A lock on a directory that ends with the process that holds it, however it ends."""

import fcntl
import os
from pathlib import Path

from execution.engine import DirectoryInUseError, StoreError


class DirectoryLock:
    """Held from `acquire` to `release` or to the end of the process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, making the directory if needed. Raises DirectoryInUseError, StoreError."""
        self._directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._directory / "weft.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise DirectoryInUseError(
                f"Another Weft (process {holder}) uses {self._directory}. Stop it, or choose another --base-directory."
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise StoreError(f"The directory {self._directory} cannot be locked: {error.strerror}.") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
