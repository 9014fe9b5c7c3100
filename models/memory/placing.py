"""Puts tensors in the place of a network's parameters, and brings them to a device layer by layer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

Put = Callable[[Tensor], Tensor]


def tensors_of(network: nn.Module) -> dict[str, Tensor]:
    """The parameters, and the buffers that belong to the weights, by name."""
    return network.state_dict()


def place(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Puts tensors in the place of parameters of the same names; the parameters' own memory is let go."""
    network.load_state_dict(tensors, strict=False, assign=True)
    network.requires_grad_(False)


def move(network: nn.Module, put: Put) -> None:
    """Takes every parameter and buffer of the network through `put`, one after the other."""
    for name, tensor in {**dict(network.named_buffers()), **tensors_of(network)}.items():
        place_one(network, name, put(tensor))


def tensor_of(network: nn.Module, name: str) -> Tensor:
    """One parameter or buffer, by its name."""
    path, _, leaf = name.rpartition(".")
    return getattr(network.get_submodule(path), leaf).detach()


def place_one(network: nn.Module, name: str, tensor: Tensor) -> None:
    """Puts a tensor in the place of one parameter or buffer."""
    path, _, leaf = name.rpartition(".")
    module = network.get_submodule(path)
    is_parameter = isinstance(getattr(module, leaf), nn.Parameter)
    setattr(module, leaf, nn.Parameter(tensor, requires_grad=False) if is_parameter else tensor)


def empty(network: nn.Module) -> None:
    """Lets go of the memory of the weights; names and shapes stay."""
    for name, tensor in tensors_of(network).items():
        place_one(network, name, torch.empty_like(tensor, device="meta"))


@contextmanager
def streamed(network: nn.Module, put: Put) -> Iterator[None]:
    """Brings the weights of each layer through `put` for as long as the layer computes, and no longer.

    A layer is a module that has parameters or buffers of its own; its weights must be used in its own forward only.
    """
    with ExitStack() as hooks:
        for module in network.modules():
            names = [*dict(module.named_parameters(recurse=False)), *dict(module.named_buffers(recurse=False))]
            if names:
                layer = _Layer(names, put)
                hooks.callback(module.register_forward_pre_hook(layer.bring).remove)
                hooks.callback(module.register_forward_hook(layer.send_back, always_call=True).remove)
        yield


class _Layer:
    """The weights of one layer: here while it computes, at home otherwise."""

    def __init__(self, names: list[str], put: Put) -> None:
        self._names = names
        self._put = put
        self._at_home: dict[str, Tensor] = {}

    def bring(self, module: nn.Module, inputs: tuple[object, ...]) -> None:
        self._at_home = {name: getattr(module, name) for name in self._names}
        for name, tensor in self._at_home.items():
            place_one(module, name, self._put(tensor.detach()))

    def send_back(self, module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        for name, tensor in self._at_home.items():
            setattr(module, name, tensor)
        self._at_home = {}
