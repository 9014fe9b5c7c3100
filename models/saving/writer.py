"""Writes safetensors files tensor by tensor, so that a whole model need not be in memory twice."""

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import torch
from torch import Tensor

from models.loading.files import TORCH_DTYPES

NAMES = {dtype: name for name, dtype in TORCH_DTYPES.items()}
ALIGNMENT = 8
"""The tensors begin at a multiple of so many bytes."""


class UnstorableWeightsError(ValueError):
    """A weight holds a number that its file cannot hold."""


@dataclass(frozen=True)
class Stored:
    """A tensor to write: its shape, how it is come by when its turn is there, and the precision it gets in the file."""

    shape: tuple[int, ...]
    read: Callable[[], Tensor]
    dtype: torch.dtype = torch.float16

    @classmethod
    def of(cls, tensor: Tensor, dtype: torch.dtype = torch.float16) -> "Stored":
        """A tensor that is there already."""
        return cls(tuple(tensor.shape), lambda: tensor, dtype)

    @property
    def bytes(self) -> int:
        """Its size in the file."""
        return math.prod(self.shape) * self.dtype.itemsize


def write(
    file: BinaryIO,
    tensors: Mapping[str, Stored],
    metadata: Mapping[str, str],
    report: Callable[[float], None] = lambda fraction: None,
) -> None:
    """Writes tensors by their keys. `report` is told the fraction written so far and may raise to stop.

    Raises UnstorableWeightsError.
    """
    file.write(_header(tensors, metadata))
    total = sum(stored.bytes for stored in tensors.values())
    done = 0
    for key, stored in tensors.items():
        file.write(_bytes(key, stored))
        done += stored.bytes
        report(done / max(total, 1))


def _header(tensors: Mapping[str, Stored], metadata: Mapping[str, str]) -> bytes:
    entries: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    position = 0
    for key, stored in tensors.items():
        end = position + stored.bytes
        entries[key] = {"dtype": NAMES[stored.dtype], "shape": list(stored.shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return struct.pack("<Q", len(text)) + text


def _bytes(key: str, stored: Stored) -> memoryview:
    tensor = stored.read().to("cpu", stored.dtype).contiguous()
    assert tuple(tensor.shape) == stored.shape
    if not tensor.isfinite().all():
        raise UnstorableWeightsError(
            f"{key} holds numbers that {str(stored.dtype).removeprefix('torch.')} cannot hold: "
            "a merge or a LoRA with such strengths breaks the model"
        )
    return tensor.reshape(-1).view(torch.uint8).numpy().data
