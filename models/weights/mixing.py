"""Mixes one network with another of the same kind, weight by weight, without copying either."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from models.types import Residence, Weights


class MixMismatchError(ValueError):
    """Two networks have no weights in common."""


@dataclass(frozen=True)
class Shares:
    """How much of each of two weights a mixture holds: first · weight + second · the other's weight."""

    first: float
    second: float


@dataclass(frozen=True, eq=False)
class Mixture:
    """Adds another network's weights, changed by `weights`, to those of the network that this is a change of."""

    other: Residence[Any]
    weights: Weights
    shares: Mapping[str, Shares]

    @property
    def names(self) -> Collection[str]:
        return self.shares.keys()

    def patched(self, name: str, weight: Tensor) -> Tensor:
        """Returns the mixed parameter, float32."""
        shares = self.shares[name]
        other = self.other.parameter(name, self.weights).to(weight.device)
        return weight.float() * shares.first + other * shares.second


def mixture(network: Residence[Any], other: Residence[Any], weights: Weights, shares: Mapping[str, Shares]) -> Mixture:
    """Returns the change that mixes another network into one, by shares for prefixes of names; the longest counts.

    The first of them holds where none fits. Parameters that only one of the two has, or that have other shapes (such
    as the first layer of an inpainting model), stay as they are. Raises MixMismatchError if that is all.
    """
    theirs = other.shapes
    common = [name for name, shape in network.shapes.items() if theirs.get(name) == shape]
    if not common:
        raise MixMismatchError("the two models have no weights in common: choose two of the same family")
    found = {name: shares_of(name, shares) for name in common}
    return Mixture(other, weights, {name: share for name, share in found.items() if share != Shares(1.0, 0.0)})


def shares_of(name: str, shares: Mapping[str, Shares]) -> Shares:
    """Returns the shares of the longest prefix that the name begins with, or the first."""
    fitting = [prefix for prefix in shares if name.startswith(prefix)]
    return shares[max(fitting, key=len)] if fitting else next(iter(shares.values()))
