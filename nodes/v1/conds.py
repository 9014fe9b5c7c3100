"""Conditioning as packs see it while a model samples: a list of dictionaries, each of them one prompt."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from models.conditioning import Conditioning
from nodes.v1.conditioning import conditioning_to_foreign, conditioning_to_ours

FEATURES, INPUTS = "cross_attn", "model_conds"


class CondValue:
    """One input of the network that a prompt makes, `comfy.conds.CONDRegular` to packs."""

    def __init__(self, cond: Tensor) -> None:
        self.cond = cond


class Conds(list[dict[str, Any]]):
    """The prompts of a conditioning, which is remembered for as long as none of them is changed."""

    def __init__(self, ours: Conditioning) -> None:
        super().__init__(_entry(features, noted) for features, noted in conditioning_to_foreign(ours))
        self._ours = ours
        self._before = [_flat(entry) for entry in self]

    def copied(self) -> "Conds":
        """New dictionaries of the same, of the same conditioning."""
        return Conds(self.ours)

    @property
    def ours(self) -> Conditioning:
        """The conditioning, with what a pack has changed."""
        now = [_flat(entry) for entry in self]
        if len(now) == len(self._before) and all(map(_same, now, self._before)):
            return self._ours
        return conds_to_ours(list(self))


def conds_to_ours(conds: Sequence[Mapping[str, Any]]) -> Conditioning:
    """The conditioning that dictionaries stand for; the same each time for those that nobody has changed."""
    if isinstance(conds, Conds):
        return conds.ours
    return conditioning_to_ours([(_features(entry), _noted(entry)) for entry in conds])


def _entry(features: Tensor, noted: Mapping[str, Any]) -> dict[str, Any]:
    return {FEATURES: features, **noted, INPUTS: {"c_crossattn": CondValue(features)}}


def _features(entry: Mapping[str, Any]) -> Tensor:
    """The token features: those of the network's input, if a pack has put others there."""
    value = entry.get(INPUTS, {}).get("c_crossattn")
    return entry[FEATURES] if value is None else value.cond


def _noted(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in (FEATURES, INPUTS, "uuid")}


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    return _noted(entry) | {FEATURES: _features(entry)}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two dictionaries hold the very same."""
    return one.keys() == other.keys() and all(value is other[key] for key, value in one.items())
