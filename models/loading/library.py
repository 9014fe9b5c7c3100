"""The models loaded last, so that nodes that name the same file share them."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch

from models.loading.folder import load_folder, weight_files
from models.loading.header import ModelFileError
from models.loading.load import Checkpoint, load_checkpoint
from models.loading.plan import Report
from models.loading.separate import load_autoencoder, load_text_encoders, load_unet
from models.loading.tiny import load_tiny_autoencoder
from models.memory import DevicePolicy, Kept
from models.types import Clip, Model, Vae

Value = TypeVar("Value")


HANDLES = 64
"""Models remembered; their weights are kept or let go by the memory, whoever remembers them."""


class Library:
    """Loads models, each once as long as its file does not change.

    Its methods raise ModelFileError. `report` is told the fraction read so far and may raise to stop.
    """

    def __init__(self, policy: DevicePolicy) -> None:
        self._policy = policy
        self._kept: Kept[Any] = Kept(HANDLES, lambda model: 1)

    def checkpoint(self, path: Path, report: Report | None = None) -> Checkpoint:
        """Returns the networks of a single-file checkpoint."""
        return self._once("checkpoint", [path], lambda: load_checkpoint(path, self._policy, report))

    def folder(self, path: Path, report: Report | None = None) -> Checkpoint:
        """Returns the networks of a folder in the diffusers layout."""
        files = [file for part in sorted(path.iterdir()) for file in weight_files(part)] if path.is_dir() else []
        return self._once(f"folder {path}", files, lambda: load_folder(path, self._policy, report))

    def unet(self, path: Path, stored: torch.dtype | None = None, report: Report | None = None) -> Model:
        """Returns the UNet of a file; `stored` is a precision that its weights are rounded to."""
        return self._once(f"unet {stored}", [path], lambda: load_unet(path, self._policy, stored, report))

    def autoencoder(self, path: Path, report: Report | None = None) -> Vae:
        """Returns the autoencoder of a file."""
        return self._once("autoencoder", [path], lambda: load_autoencoder(path, self._policy, report))

    def tiny_autoencoder(self, encoder: Path, decoder: Path, scale: float, report: Report | None = None) -> Vae:
        """Returns TAESD out of the files of its halves; `scale` is the factor from raw latents to model scale."""
        load = partial(load_tiny_autoencoder, encoder, decoder, scale, self._policy, report)
        return self._once(f"tiny {scale}", [encoder, decoder], load)

    def text_encoders(self, paths: Sequence[Path], on_cpu: bool = False, report: Report | None = None) -> Clip:
        """Returns text encoders, each in a file of its own; `on_cpu` has them compute there in any case."""
        policy = self._policy.on_cpu() if on_cpu else self._policy
        return self._once(f"text {on_cpu}", paths, lambda: load_text_encoders(paths, policy, report))

    def other(self, kind: str, path: Path, load: Callable[[DevicePolicy], Value]) -> Value:
        """Returns a network of another kind, which `load` reads from a file."""
        return self._once(kind, [path], lambda: load(self._policy))

    def clear(self) -> None:
        """Lets go of all models."""
        self._kept.clear()

    def _once(self, kind: str, paths: Sequence[Path], load: Callable[[], Value]) -> Value:
        key: list[Hashable] = [kind]
        for path in paths:
            if not path.is_file():
                raise ModelFileError(f"{path.name} cannot be read: there is no such file")
            status = path.stat()
            key.append((path, status.st_size, status.st_mtime_ns))
        return self._kept.get(tuple(key), 1, load)
