"""Upscalers in foreign hands, and networks of the package spandrel that packs load, in ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from models.types import Weights
from models.upscaler import Upscaler
from nodes.v1.facade import Facade


class ForeignUpscaler(Facade):
    """An UPSCALE_MODEL as packs use it: called with pictures (b 3 h w) in 0..1, of which it makes larger ones."""

    what = "UPSCALE_MODEL"
    ours: Upscaler

    @property
    def scale(self) -> int:
        """Pixels that come out for each that goes in, along a side."""
        return self.ours.scale

    @property
    def model(self) -> "ForeignUpscaler":
        """The network, which this is to packs as well."""
        return self

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.ours.network.device

    @property
    def dtype(self) -> torch.dtype:
        """The precision it computes in."""
        return self.ours.network.dtype

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        with self.ours.network.on_device() as network:
            return network(pictures.to(self.device, self.dtype))

    def state_dict(self) -> dict[str, Tensor]:
        """The weights by name."""
        with self.ours.network.on_device() as network:
            return network.state_dict()

    def parameters(self) -> Iterator[Tensor]:
        """The weights."""
        return iter(self.state_dict().values())

    def to(self, *place: Any, **options: Any) -> "ForeignUpscaler":
        """Itself: the network is brought to the device when it is used."""
        return self

    def cpu(self) -> "ForeignUpscaler":
        """Itself: the network leaves the device when another needs the room."""
        return self

    def eval(self) -> "ForeignUpscaler":
        """Itself: it does not learn."""
        return self


class HeldByPack:
    """A network that a pack has loaded, which stays where the pack has put it."""

    def __init__(self, descriptor: Any) -> None:
        self._descriptor = descriptor

    @property
    def device(self) -> torch.device:
        return next(self._descriptor.model.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        return next(self._descriptor.model.parameters()).dtype

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self._descriptor.model.named_parameters()}

    def parameter(self, name: str, weights: Weights = ()) -> Tensor:
        raise NotImplementedError("nobody changes the weights of upscalers")

    @contextmanager
    def on_device(self, weights: Weights = ()) -> Iterator[nn.Module]:
        yield self._descriptor


def is_upscaler(value: Any) -> bool:
    """Whether a value is a description of a network by the package spandrel, as packs load them."""
    return type(value).__module__.partition(".")[0] == "spandrel" and hasattr(value, "scale")


def upscaler_to_ours(descriptor: Any) -> Upscaler:
    """An upscaler that a pack has loaded, for our nodes."""
    return Upscaler(HeldByPack(descriptor), int(descriptor.scale))
