"""Where networks compute and in what precision, and which of them stay in memory."""

import itertools
import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)
Value = TypeVar("Value")

ACTIVATIONS = 1 << 30
"""Bytes of a graphics card left free for what is computed, beside the weights."""


class NotEnoughMemoryError(RuntimeError):
    """A device or the machine has too little memory for what was asked."""


@contextmanager
def explained_out_of_memory(doing: str) -> Iterator[None]:
    """Turns torch's out-of-memory errors into one that says what was being done and what helps."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise NotEnoughMemoryError(
            f"not enough memory for {doing}: make the picture or the batch smaller, or close other programs"
        ) from error


def size_in_bytes(network: nn.Module) -> int:
    """Returns how much memory the weights take."""
    return sum(parameter.numel() * parameter.element_size() for parameter in network.parameters())


def free_bytes(device: torch.device) -> int:
    """Returns how much memory may still be taken on a device without pushing anything out."""
    if device.type == "cuda":
        unused_by_torch = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused_by_torch
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return _available_memory()


def total_bytes() -> int:
    """Returns the memory of the machine; 8 GiB where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8 << 30


def _available_memory() -> int:
    """Reads what the machine can give without swapping; half of all its memory where only Linux would tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            fields = dict(line.split(":", 1) for line in lines)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        return total_bytes() // 2


class WeightPatch(Protocol):
    """A change to some of a network's parameters, such as a LoRA's."""

    @property
    def names(self) -> Collection[str]:
        """The parameters that it changes."""
        ...

    def patched(self, name: str, weight: torch.Tensor) -> torch.Tensor:
        """The parameter of that name, changed: float32, of the same shape, on the same device. A new tensor."""
        ...


@contextmanager
def changed(network: nn.Module, patches: Sequence[WeightPatch]) -> Iterator[None]:
    """Changes the network's parameters inside the block, each patch on what the one before has made."""
    parameters = dict(network.named_parameters())
    names = {name for patch in patches for name in patch.names}
    originals = {name: parameters[name].data for name in names}
    try:
        for name, original in originals.items():
            weight = original.float()
            for patch in patches:
                if name in patch.names:
                    weight = patch.patched(name, weight)
            parameters[name].data = weight.to(original.dtype)
        yield
    finally:
        for name, original in originals.items():
            parameters[name].data = original


class Resident(Generic[Network]):
    """A network that waits in the machine's memory and is brought to the compute device while it is used."""

    def __init__(self, network: Network, dtype: torch.dtype, memory: "DeviceMemory") -> None:
        self._network = network
        self._memory = memory
        self._dtype = dtype
        self.bytes = size_in_bytes(network)
        self.users = 0
        self.last_use = 0

    @property
    def device(self) -> torch.device:
        """The device the network computes on."""
        return self._memory.device

    @property
    def dtype(self) -> torch.dtype:
        """The precision the network computes in."""
        return self._dtype

    @contextmanager
    def on_device(self, weights: Sequence[WeightPatch] = ()) -> Iterator[Network]:
        """Yields the network, its weights on the compute device, where they stay at least until the block ends.

        Inside the block the weights are changed as asked; after it they are what they were, bit for bit.
        """
        self._memory.bring(self)
        self.users += 1
        try:
            with changed(self._network, weights):
                yield self._network
        finally:
            self.users -= 1

    def move(self, device: torch.device) -> None:
        """Moves the weights."""
        self._network.to(device)


class DeviceMemory:
    """The networks on the compute device, where the one used longest ago makes room. The CPU needs no moving."""

    def __init__(self, device: torch.device, free: Callable[[torch.device], int] = free_bytes) -> None:
        self.device = device
        self._free = free
        self._present: WeakSet[Resident[Any]] = WeakSet()
        self._clock = itertools.count(1)

    def bring(self, resident: Resident[Any]) -> None:
        """Moves a network to the device, sending idle ones away as needed. Raises NotEnoughMemoryError."""
        resident.last_use = next(self._clock)
        if self.device.type == "cpu" or resident in self._present:
            return
        self.make_room(resident.bytes + ACTIVATIONS)
        with explained_out_of_memory(f"{resident.bytes / 1e9:.1f} GB of weights on {self.device}"):
            resident.move(self.device)
        self._present.add(resident)

    def make_room(self, wanted: int) -> None:
        """Sends idle networks back to the machine's memory until so many bytes are free, or none is left to send."""
        idle = sorted((one for one in self._present if one.users == 0), key=lambda one: one.last_use)
        for resident in idle:
            if self._free(self.device) >= wanted:
                return
            resident.move(torch.device("cpu"))
            self._present.discard(resident)


@dataclass(frozen=True)
class DevicePolicy:
    """The compute device and the precision of each kind of network on it."""

    memory: DeviceMemory
    unet_dtype: torch.dtype
    vae_dtype: torch.dtype
    text_dtype: torch.dtype = torch.float32

    @property
    def device(self) -> torch.device:
        """The device that networks compute on."""
        return self.memory.device

    @classmethod
    def choose(cls, cpu: bool = False, force_fp32: bool = False, force_fp16: bool = False) -> "DevicePolicy":
        """Takes the graphics card if there is one: the UNet in half precision there, everything in float32 on the CPU.

        The autoencoder overflows float16, so that it computes in bfloat16 where the card can. Raises ValueError.
        """
        if force_fp32 and force_fp16:
            raise ValueError("--force-fp32 and --force-fp16 exclude each other: leave one out")
        device = torch.device("cpu") if cpu else _best_device()
        half = force_fp16 or (device.type != "cpu" and not force_fp32)
        bfloat = device.type == "cuda" and not force_fp32 and torch.cuda.is_bf16_supported(including_emulation=False)
        return cls(
            DeviceMemory(device),
            unet_dtype=torch.float16 if half else torch.float32,
            vae_dtype=torch.bfloat16 if bfloat else torch.float32,
        )

    def resident(self, network: Network, dtype: torch.dtype) -> Resident[Network]:
        """Returns the network as something that is brought to the compute device when it is used."""
        return Resident(network, dtype, self.memory)


def _best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


class Kept(Generic[Value]):
    """Values kept within a budget of bytes; the one used longest ago goes first. The newest always stays."""

    def __init__(self, budget: int, measure: Callable[[Value], int]) -> None:
        self.budget = budget
        self._measure = measure
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, expected: int, make: Callable[[], Value]) -> Value:
        """Returns the value of this key. If it must be made, first makes room for the bytes it is expected to take."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        self._shrink(self.budget - expected)
        value = make()
        self._shrink(self.budget - self._measure(value))
        self._values[key] = value
        return value

    def clear(self) -> None:
        """Forgets every value."""
        self._values.clear()

    def _shrink(self, target: int) -> None:
        while self._values and sum(self._measure(value) for value in self._values.values()) > target:
            self._values.popitem(last=False)
