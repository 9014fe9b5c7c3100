"""Networks with known answers, and a model handle around them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.conditioning import Cond
from models.sampling.denoiser import Estimates
from models.types import LatentFormat, Model, Weights

FORMAT = LatentFormat(channels=4, scale=0.5, stride=8, rgb_factors=((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0), (0, 0, 0)))


@dataclass
class FakeResidence:
    """A network that is always there, and whether it is in use."""

    network: Any
    dtype: torch.dtype = torch.float32
    in_use: bool = False

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self.network.named_parameters()}

    def parameter(self, name: str, weights: Weights = ()) -> Tensor:
        tensor = self.network.get_parameter(name).detach().float().clone()
        for patch in weights:
            tensor = patch.patched(name, tensor) if name in patch.names else tensor
        return tensor

    @contextmanager
    def on_device(self, weights: Weights = ()) -> Iterator[Any]:
        self.in_use = True
        try:
            yield self.network
        finally:
            self.in_use = False


@dataclass(frozen=True)
class Both:
    """A denoiser with another to tell the unguided estimate; by default the same."""

    denoise: Callable[[Tensor, Tensor], Tensor]
    unguided: Callable[[Tensor, Tensor], Tensor] | None = None

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.denoise(x, sigma)

    def both(self, x: Tensor, sigma: Tensor) -> Estimates:
        return Estimates(self.denoise(x, sigma), (self.unguided or self.denoise)(x, sigma))


def model_of(network: Callable[..., Tensor]) -> Model:
    return Model(FakeResidence(network), FORMAT)


def prompt(value: float, tokens: int = 3) -> tuple[Cond, ...]:
    """A conditioning whose every feature is the value."""
    return (Cond(torch.full((1, tokens, 2), value)),)
