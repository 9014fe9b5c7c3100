"""Textual inversion, arXiv:2208.01618: learned vectors that stand in a prompt as `embedding:name`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from models.loading.files import open_tensors, read_archive
from models.loading.header import ModelFileError

PREFIX = "embedding:"

BUNDLE = "bundle_emb."
"""How the keys of embeddings begin that a checkpoint or LoRA carries along."""

Find = Callable[[str], Path | None]
"""Returns the file of an embedding by its name, or None."""


@dataclass(frozen=True)
class Embeddings:
    """The embeddings that prompts may name."""

    find: Find = lambda name: None

    def vectors(self, name: str, role: str) -> Tensor | None:
        """Returns the vectors (n, width), float32, that an embedding has for an encoder; None if there is no such
        file. Raises ModelFileError."""
        path = self.find(name)
        if path is None:
            return None
        try:
            return _as_rows(_chosen(_content(path), role))
        except ModelFileError as error:
            raise ModelFileError(f"the embedding {name!r} cannot be used: {error}") from error


def _content(path: Path) -> Any:
    """Tensors by key; of a file that torch.save wrote, whatever it holds."""
    content = read_archive(path)
    if content is not None:
        return content
    with open_tensors(path) as file:
        return {key: file.read(key, torch.float32) for key in file.shapes}


def _chosen(content: Any, role: str) -> Tensor:
    """The tensor for this encoder, whichever program has written the file."""
    match content:
        case {"string_to_param": Mapping() as trained} if trained:
            return _tensor(next(iter(trained.values())))
        case list() | tuple() if content:
            return torch.cat([_as_rows(_chosen(item, role)) for item in cast("list[Any]", content)])
        case Mapping() if content:
            if role in content:
                return _tensor(content[role])
            bundled = [value for key, value in content.items() if str(key).startswith(BUNDLE)]
            return _tensor(bundled[0] if bundled else next(iter(content.values())))
        case _:
            return _tensor(content)


def _tensor(value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise ModelFileError("its file does not hold vectors")
    return value


def _as_rows(tensor: Tensor) -> Tensor:
    rows = tensor.detach().to(torch.float32, copy=True)
    rows = rows[None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or not len(rows):
        raise ModelFileError(f"its tensor has the shape {list(tensor.shape)} instead of vectors")
    if not bool(rows.isfinite().all()):
        raise ModelFileError("its vectors hold numbers that are infinite or not a number: the file is damaged")
    return rows.contiguous()
