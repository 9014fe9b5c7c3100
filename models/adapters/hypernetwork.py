"""Hypernetworks: small perceptrons that change what keys and values of attention are made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from models.types import Residence
from models.unet_patches import AttentionPatches, Call, Place, UNetPatches

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leakyrelu": nn.LeakyReLU,
    "elu": nn.ELU,
    "swish": nn.Hardswish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softsign": nn.Softsign,
    "mish": nn.Mish,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "selu": nn.SELU,
    "softplus": nn.Softplus,
}
"""By the name that files give; `linear` is none at all."""


@dataclass(frozen=True)
class Perceptrons:
    """How every perceptron of a hypernetwork is built: widths as multiples of the input's, and what is between."""

    structure: tuple[float, ...]
    activation: str = "linear"
    layer_norm: bool = False
    activate_output: bool = False

    def build(self, width: int) -> nn.Sequential:
        """A perceptron of an input so wide. Raises ValueError for an activation that is not known."""
        layers: list[nn.Module] = []
        for number in range(len(self.structure) - 1):
            inner, outer = (int(width * share) for share in self.structure[number : number + 2])
            layers.append(nn.Linear(inner, outer))
            last = number == len(self.structure) - 2
            if self.activation != "linear" and (self.activate_output or not last):
                layers.append(_activation(self.activation))
            if self.layer_norm:
                layers.append(nn.LayerNorm(outer))
        return nn.Sequential(*layers)


def _activation(name: str) -> nn.Module:
    try:
        return ACTIVATIONS[name]()
    except KeyError:
        raise ValueError(f"its activation {name[:40]!r} is not known") from None


class Hypernetwork(nn.Module):
    """For each width of features, one perceptron for keys and one for values."""

    def __init__(self, widths: Iterable[int], perceptrons: Perceptrons) -> None:
        super().__init__()
        self.pairs = nn.ModuleDict(
            {str(width): nn.ModuleList([perceptrons.build(width), perceptrons.build(width)]) for width in widths}
        )

    def forward(self, keys: Tensor, values: Tensor, strength: float) -> tuple[Tensor, Tensor]:
        """What keys and values (b, n, width) are made of, changed; features of a width it does not know stay."""
        name = str(keys.shape[-1])
        if name not in self.pairs:
            return keys, values
        for_keys, for_values = cast(nn.ModuleList, self.pairs[name])
        return keys + strength * for_keys(keys), values + strength * for_values(values)


@dataclass(frozen=True, eq=False)
class HypernetworkPatch:
    """A hypernetwork at work in a UNet, with a strength."""

    network: Residence[Hypernetwork]
    strength: float

    def __call__(
        self, queries: Tensor, keys: Tensor, values: Tensor, place: Place, call: Call
    ) -> tuple[Tensor, Tensor, Tensor]:
        with self.network.on_device() as network:
            return queries, *network(keys, values, self.strength)

    @property
    def unet(self) -> UNetPatches:
        """It changes all attention layers."""
        attention = AttentionPatches(inputs=(self,))
        return UNetPatches(self_attention=attention, cross_attention=attention)
