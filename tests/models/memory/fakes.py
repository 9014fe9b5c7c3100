"""A graphics card that is only counted: what was put on it takes its memory until nobody holds it."""

import weakref
from collections.abc import Collection, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from models.memory import Card, DeviceMemory, MachineMemory, Resident, VramMode

PLENTY = 1 << 40
Network = TypeVar("Network", bound=nn.Module)


class FakeCard:
    """Tensors on it are clones, so that those at home can be told from them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0
        self.most = 0

    def put(self, tensor: Tensor) -> Tensor:
        here = tensor.clone()
        self.taken += here.nbytes
        self.most = max(self.most, self.taken)
        weakref.finalize(here.untyped_storage(), self._left, here.nbytes)
        return here

    def _left(self, size: int) -> None:
        self.taken -= size

    def free(self) -> int:
        return self.size - self.taken

    def memory(self, reserve: int = 0, mode: VramMode = "normal", budget: int = PLENTY) -> DeviceMemory:
        card = Card(torch.device("cpu"), apart=True, free=self.free, put=self.put)
        return DeviceMemory(card, machine_of(budget), reserve, mode)


def machine_of(budget: int) -> MachineMemory:
    """The machine's memory with a budget for weights, and no lack of it otherwise."""
    return MachineMemory(budget, free=lambda: PLENTY)


def processor(budget: int = PLENTY) -> DeviceMemory:
    """The memory of networks that compute where they lie."""
    return DeviceMemory(Card.of(torch.device("cpu")), machine_of(budget))


class File:
    """The source of a network's weights, which counts how often it is read."""

    def __init__(self, network: nn.Module) -> None:
        self.weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        self.reads: list[str] = []

    def __call__(self, names: Collection[str] | None = None) -> Mapping[str, Tensor]:
        wanted = self.weights.keys() if names is None else names
        self.reads += wanted
        return {name: self.weights[name].clone() for name in wanted}


def linear(memory: DeviceMemory, numbers: int = 1000, *, from_file: bool = True) -> Resident[nn.Linear]:
    """A network of so many numbers, 4 bytes each."""
    network = nn.Linear(numbers, 1, bias=False)
    return Resident(network, torch.float32, memory, File(network) if from_file else None)


def at_random(network: Network, seed: int = 0) -> Network:
    """The network with small random weights that half precision holds exactly."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator).mul_(0.05).half().float()
    return network.requires_grad_(False).eval()
