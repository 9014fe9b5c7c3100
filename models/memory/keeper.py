"""Decides which networks' weights lie where: on the compute device, in the machine's memory, or in their files only."""

import itertools
import logging
from collections.abc import Callable
from typing import Any, Literal
from weakref import WeakSet

import torch

from models.memory.card import ACTIVATIONS, Card
from models.memory.heap import return_freed
from models.memory.measures import NotEnoughMemoryError, explained_out_of_memory, free_bytes, total_bytes
from models.memory.resident import Resident

VramMode = Literal["normal", "high", "low", "none"]
"""How a graphics card's memory is used.

normal: networks stay on the card until others need the room, then wait in the machine's memory.
high: they never wait there, but are read again from their files. low: large networks are brought layer by layer.
none: all are. On the processor all four are the same.
"""

log = logging.getLogger(__name__)

LARGE = 1 << 30
"""Bytes of weights from which on a network is brought layer by layer under --lowvram."""


class MachineMemory:
    """The weights in the machine's memory, bounded by a budget of bytes; the network used longest ago goes first."""

    def __init__(self, budget: int | None = None, free: Callable[[], int] | None = None) -> None:
        self._budget = budget if budget is not None else total_bytes() // 2
        self._free = free or (lambda: free_bytes(torch.device("cpu")))
        self._residents: WeakSet[Resident[Any]] = WeakSet()
        self._clock = itertools.count(1)

    @property
    def bytes(self) -> int:
        """What the weights take."""
        return sum(resident.bytes_at_home for resident in self._residents)

    def add(self, resident: Resident[Any]) -> None:
        """Takes notice of a network."""
        self._residents.add(resident)
        self.touch(resident)

    def touch(self, resident: Resident[Any]) -> None:
        """Notes that a network is used now."""
        resident.last_use = next(self._clock)

    def idle(self) -> list[Resident[Any]]:
        """The networks that nobody uses just now, those used longest ago first."""
        return sorted((one for one in self._residents if one.users == 0), key=lambda one: one.last_use)

    def has_room(self, wanted: int) -> bool:
        """Whether so many more bytes fit the budget and the machine."""
        return self.bytes + wanted <= self._budget and self._free() >= wanted

    def make_room(self, wanted: int) -> None:
        """Lets go of idle networks until so many more bytes fit. Raises NotEnoughMemoryError if the machine has less.

        A network larger than the budget is let in alone.
        """
        for resident in self.idle():
            if self.has_room(wanted):
                return
            if resident.bytes_at_home and resident.can_be_read_again:
                resident.let_go()
                return_freed()  # What is free is asked of the system.
        if (available := self._free()) < wanted:
            raise NotEnoughMemoryError(
                f"{wanted / 1e9:.1f} GB of memory are needed for weights, and {available / 1e9:.1f} GB are free: "
                "close other programs"
            )


class DeviceMemory:
    """The networks that compute on one device. `reserve` bytes of it are left free beside the weights."""

    def __init__(
        self,
        card: Card,
        machine: MachineMemory | None = None,
        reserve: int = ACTIVATIONS,
        mode: VramMode = "normal",
    ) -> None:
        self.card = card
        self.machine = machine or MachineMemory()
        self._reserve = reserve
        self._mode = mode

    def bring(self, resident: Resident[Any]) -> bool:
        """Makes a network ready to compute. False: its weights stay at home, to be brought layer by layer.

        Raises NotEnoughMemoryError, and what reading its file raises.
        """
        self.load(resident)
        if not self.card.apart or resident.place == "card":
            return True
        if self._is_streamed(resident) or not self._make_room(resident.bytes):
            return False
        with explained_out_of_memory(f"{resident.bytes / 1e9:.1f} GB of weights on {self.card.device}"):
            resident.to_card()
        return True

    def load(self, resident: Resident[Any]) -> None:
        """Reads a network's weights if they were let go. Raises NotEnoughMemoryError, and what reading raises."""
        self.machine.touch(resident)
        if resident.place == "file":
            self.machine.make_room(resident.bytes)
            log.info("Reading %.1f GB of weights again, which had made room for others.", resident.bytes / 1e9)
            resident.read()

    def _is_streamed(self, resident: Resident[Any]) -> bool:
        return self._mode == "none" or (self._mode == "low" and resident.bytes >= LARGE)

    def _make_room(self, wanted: int) -> bool:
        """Sends idle networks away until so many bytes are free beside the reserve; False if that is still too few."""
        for resident in self.machine.idle():
            if self.card.free() >= wanted + self._reserve:
                return True
            if resident.place != "card" or resident.device != self.card.device:
                continue
            if resident.can_be_read_again and (self._mode == "high" or not self.machine.has_room(resident.bytes)):
                resident.let_go()
            else:
                resident.to_machine()
        return self.card.free() >= wanted + self._reserve
