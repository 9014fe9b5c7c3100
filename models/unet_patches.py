"""What may be changed inside a UNet while it computes: functions at named places, gathered in a value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol

from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Residuals:
    """What is added inside a UNet: after each input block, to each skip connection, and after the middle.

    `features` and `skips` follow the order of the input blocks; None adds nothing.
    """

    features: tuple[Tensor | None, ...] = ()
    skips: tuple[Tensor | None, ...] = ()
    middle: Tensor | None = None

    def plus(self, other: "Residuals") -> "Residuals":
        """The sum, place by place."""
        return Residuals(
            _sums(self.features, other.features), _sums(self.skips, other.skips), _sum(self.middle, other.middle)
        )


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    if a is None or b is None:
        return b if a is None else a
    return a + b


def _sums(a: tuple[Tensor | None, ...], b: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    length = max(len(a), len(b))
    return tuple(
        _sum(a[place] if place < len(a) else None, b[place] if place < len(b) else None) for place in range(length)
    )


@dataclass(frozen=True)
class Place:
    """Where in a UNet: block `number` of a path, and for attention the transformer `index` within the block."""

    path: Literal["input", "middle", "output"]
    number: int
    index: int = 0


@dataclass(frozen=True, eq=False)
class Call:
    """What patches are told of one evaluation.

    The b rows are `prompts` in turn, each with all `pictures` of the latent batch; a prompt is 0 for the positive, the
    last for the negative. `shape` is the latent's (b c h w) at the network's entrance. `sigmas` are all of the run,
    where there is one, and `extra` is what foreign code has noted for its patches.
    """

    sigma: Tensor
    prompts: tuple[int, ...]
    pictures: int
    shape: tuple[int, ...]
    sigmas: Tensor | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Attention(Protocol):
    """An attention layer, as far as patches need it."""

    heads: int
    to_q: nn.Linear
    to_k: nn.Linear
    to_v: nn.Linear
    to_out: nn.Sequential

    def __call__(self, x: Tensor, context: Tensor, value: Tensor | None = None) -> Tensor: ...


FeaturePatch = Callable[[Tensor, Place, Call], Tensor]
"""(features, where, call) → features. Features are (b c h w) in blocks and (b, h·w, c) in transformers."""

JoinPatch = Callable[[Tensor, Tensor, Place, Call], tuple[Tensor, Tensor]]
"""(features, skip, where, call) → both, before an output block joins them on channels."""

InputsPatch = Callable[[Tensor, Tensor, Tensor, Place, Call], tuple[Tensor, Tensor, Tensor]]
"""(of queries, of keys, of values, where, call) → the three inputs of an attention layer, before its projections."""

AttentionPatch = Callable[[Attention, Tensor, Tensor, Tensor, Place, Call], Tensor]
"""(layer, of queries, of keys, of values, where, call) → what the layer puts out, in the layer's place."""


@dataclass(frozen=True)
class AttentionPatches:
    """Changes to the attention layers of one kind: what goes in, what stands in for a layer, what comes out."""

    inputs: tuple[InputsPatch, ...] = ()
    instead: Mapping[Place, AttentionPatch] = field(default_factory=dict[Place, AttentionPatch])
    outputs: tuple[FeaturePatch, ...] = ()

    def plus(self, other: "AttentionPatches") -> "AttentionPatches":
        """These and then the others; of two that stand in for the same layer, the other's."""
        return AttentionPatches(
            self.inputs + other.inputs, {**self.instead, **other.instead}, self.outputs + other.outputs
        )

    def run(self, layer: Attention, x: Tensor, context: Tensor, place: Place, call: Call) -> Tensor:
        """The layer under these changes: x (b n c) asks, context (b m c') answers."""
        key = value = context
        for change in self.inputs:
            x, key, value = change(x, key, value, place, call)
        instead = self.instead.get(place)
        out = layer(x, key, value) if instead is None else instead(layer, x, key, value, place, call)
        for change in self.outputs:
            out = change(out, place, call)
        return out


@dataclass(frozen=True)
class UNetPatches:
    """Changes at all the places where there can be some; each field is applied in order."""

    after_input: tuple[FeaturePatch, ...] = ()
    """After an input block, before its output becomes a skip connection."""
    after_skip: tuple[FeaturePatch, ...] = ()
    """After an input block, when its output has become a skip connection."""
    after_middle: tuple[FeaturePatch, ...] = ()
    before_output: tuple[JoinPatch, ...] = ()
    self_attention: AttentionPatches = AttentionPatches()
    between_attentions: tuple[FeaturePatch, ...] = ()
    """On the features of a transformer block, between its self-attention and its attention to the prompt."""
    cross_attention: AttentionPatches = AttentionPatches()

    def plus(self, other: "UNetPatches") -> "UNetPatches":
        """These and then the others."""
        return UNetPatches(
            self.after_input + other.after_input,
            self.after_skip + other.after_skip,
            self.after_middle + other.after_middle,
            self.before_output + other.before_output,
            self.self_attention.plus(other.self_attention),
            self.between_attentions + other.between_attentions,
            self.cross_attention.plus(other.cross_attention),
        )

    @property
    def empty(self) -> bool:
        """Whether nothing is changed anywhere."""
        return all(getattr(self, one.name) == one.default for one in fields(self))


@dataclass(frozen=True, eq=False)
class Hooks:
    """What one evaluation of a UNet is changed by: patches and the residuals of controls."""

    call: Call
    patches: UNetPatches = UNetPatches()
    residuals: Residuals = field(default_factory=Residuals)

    def after_input(self, x: Tensor, number: int) -> Tensor:
        """The features that become a skip connection."""
        x = _added(x, self.residuals.features, number)
        return self._changed(self.patches.after_input, x, Place("input", number))

    def after_skip(self, x: Tensor, number: int) -> Tensor:
        """The features that go on to the next block."""
        return self._changed(self.patches.after_skip, x, Place("input", number))

    def after_middle(self, x: Tensor) -> Tensor:
        """The features that go up."""
        x = x if self.residuals.middle is None else x + self.residuals.middle
        return self._changed(self.patches.after_middle, x, Place("middle", 0))

    def joined(self, x: Tensor, skip: Tensor, number: int, input_number: int) -> tuple[Tensor, Tensor]:
        """The two that output block `number` joins; the skip connection is that of input block `input_number`."""
        skip = _added(skip, self.residuals.skips, input_number)
        for change in self.patches.before_output:
            x, skip = change(x, skip, Place("output", number), self.call)
        return x, skip

    def between_attentions(self, x: Tensor, place: Place) -> Tensor:
        """The features (b n c) between the two attentions of a transformer block."""
        return self._changed(self.patches.between_attentions, x, place)

    def self_attention(self, layer: Attention, x: Tensor, place: Place) -> Tensor:
        """What self-attention adds to the features."""
        return self.patches.self_attention.run(layer, x, x, place, self.call)

    def cross_attention(self, layer: Attention, x: Tensor, context: Tensor, place: Place) -> Tensor:
        """What attention to the prompt adds to the features."""
        return self.patches.cross_attention.run(layer, x, context, place, self.call)

    def _changed(self, changes: tuple[FeaturePatch, ...], x: Tensor, place: Place) -> Tensor:
        for change in changes:
            x = change(x, place, self.call)
        return x


def _added(x: Tensor, residuals: tuple[Tensor | None, ...], number: int) -> Tensor:
    residual = residuals[number] if number < len(residuals) else None
    return x if residual is None else x + residual
