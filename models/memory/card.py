"""The device that networks compute on, as far as memory is concerned."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from models.memory.measures import free_bytes

ACTIVATIONS = 1 << 30
"""Bytes of a graphics card left free for what is computed, beside the weights."""


@dataclass(frozen=True)
class Card:
    """A compute device: how much of its memory is free, and how a tensor comes to it.

    `apart` says that it has memory of its own, so that weights must be brought to it.
    """

    device: torch.device
    apart: bool
    free: Callable[[], int]
    put: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, device: torch.device) -> "Card":
        """The device as torch knows it."""
        return cls(device, device.type != "cpu", lambda: free_bytes(device), lambda tensor: tensor.to(device))
