"""Where networks compute, in what precision, and which of them stay in memory. One place decides: `DeviceMemory`."""

from models.memory.card import ACTIVATIONS, Card
from models.memory.heap import return_freed
from models.memory.keeper import DeviceMemory, MachineMemory, VramMode
from models.memory.kept import Kept
from models.memory.measures import (
    NotEnoughMemoryError,
    explained_out_of_memory,
    free_bytes,
    size_in_bytes,
    total_bytes,
)
from models.memory.policy import DevicePolicy
from models.memory.resident import Resident, WeightPatch, WeightsSource

__all__ = [
    "ACTIVATIONS",
    "Card",
    "DeviceMemory",
    "DevicePolicy",
    "Kept",
    "MachineMemory",
    "NotEnoughMemoryError",
    "Resident",
    "VramMode",
    "WeightPatch",
    "WeightsSource",
    "explained_out_of_memory",
    "free_bytes",
    "return_freed",
    "size_in_bytes",
    "total_bytes",
]
