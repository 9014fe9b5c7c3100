"""Controls: what steers a UNet by a hint picture, how strongly, and during which part of the schedule."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from models.adapters.t2i import T2IAdapter
from models.batches import repeated_to
from models.conditioning import Control, ControlCall
from models.control_lora import ControlLora
from models.controlnet import ControlNet
from models.resize import resize_latent
from models.types import Residence
from models.unet_patches import Residuals

STRIDE = 8
"""Pixels of a hint for one of the latent."""

FIRST_FEATURE = 2
FEATURE_STEP = 3
"""T2I-Adapter's features follow every third input block of Stable Diffusion 1.x, the last of each level."""

WIDE_FEATURES = (3, 5, 8)
"""Input blocks of SDXL that T2I-Adapter's features follow; the last feature follows the middle block."""


@dataclass(frozen=True, eq=False)
class Hint:
    """A batch of hint pictures (b h w 3 or 4) in 0..1, with a strength and a range in shares 0..1 of the schedule."""

    pictures: Tensor
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def active(self, call: ControlCall) -> bool:
        """Whether the hint counts at this level of noise."""
        first, last = call.levels.sigma_at_percent(self.start), call.levels.sigma_at_percent(self.end)
        return last <= float(call.sigma) <= first

    def fitted(self, height: int, width: int, like: Tensor) -> Tensor:
        """The pictures (b 3 height width), cut in the middle where their shape is another, as `like` computes."""
        pixels = self.pictures[..., :3].movedim(-1, 1)
        return resize_latent(pixels, width, height, "nearest-exact", center=True).to(like)


class ControlModel(Protocol):
    """A network that turns hints into controls: what a CONTROL_NET wire carries."""

    def given(self, hint: Hint) -> Control:
        """The network at work on a hint."""
        ...


@dataclass(frozen=True, eq=False)
class ControlNetModel:
    """A ControlNet. `type` tells a union one what its hint is; a `pooled` one steers the whole picture alike."""

    network: Residence[ControlNet]
    type: int | None = None
    pooled: bool = False
    union: bool = False

    def given(self, hint: Hint) -> Control:
        """The ControlNet at work on a hint."""
        return ControlNetControl(self, hint)


@dataclass(frozen=True, eq=False)
class ControlLoraModel:
    """A control-LoRA, which becomes a ControlNet with the weights of whatever model it steers."""

    network: Residence[ControlLora]

    def given(self, hint: Hint) -> Control:
        """The control-LoRA at work on a hint."""
        return ControlLoraControl(self, hint)


@dataclass(frozen=True, eq=False)
class T2IModel:
    """A T2I-Adapter."""

    network: Residence[T2IAdapter]

    def given(self, hint: Hint) -> Control:
        """The adapter at work on a hint."""
        return T2IControl(self, hint)


@dataclass(frozen=True, eq=False)
class ControlNetControl:
    """A ControlNet at work on a hint."""

    model: ControlNetModel
    hint: Hint

    @torch.no_grad()
    def residuals(self, call: ControlCall) -> Residuals | None:
        """Raises ValueError if the ControlNet is for another family of models."""
        if not self.hint.active(call):
            return None
        residence = self.model.network
        with residence.on_device() as network:
            _refuse_other_family(network, call)
            x = call.x.to(residence.dtype)
            hint = for_rows(self.hint.fitted(*_picture_size(call), like=x), call)
            y = None if network.config.half.adm_in_channels is None or call.y is None else call.y.to(x)
            found = network(x, hint, call.timesteps, call.context.to(x), y, type=self.model.type)
        found = found if not self.model.pooled else _pooled(found)
        return scaled(found, self.hint.strength, call.x)


@dataclass(frozen=True, eq=False)
class ControlLoraControl:
    """A control-LoRA at work on a hint."""

    model: ControlLoraModel
    hint: Hint

    @torch.no_grad()
    def residuals(self, call: ControlCall) -> Residuals | None:
        """Raises ValueError if the control-LoRA is for another family of models."""
        if not self.hint.active(call):
            return None
        with self.model.network.on_device() as network:
            hint = for_rows(self.hint.fitted(*_picture_size(call), like=call.x), call)
            found = network(call.network, call.x, hint, call.timesteps, call.context, call.y)
        return scaled(found, self.hint.strength, call.x)


@dataclass(frozen=True, eq=False)
class T2IControl:
    """A T2I-Adapter at work on a hint, whose features do not change from step to step and are kept."""

    model: T2IModel
    hint: Hint
    _kept: dict[tuple[int, int], list[Tensor]] = field(default_factory=dict[tuple[int, int], list[Tensor]])

    @torch.no_grad()
    def residuals(self, call: ControlCall) -> Residuals | None:
        """Raises ValueError if the adapter is for another family of models."""
        if not self.hint.active(call):
            return None
        with self.model.network.on_device() as network:
            wide = network.config.wide
            if wide != (call.y is not None):
                raise ValueError(
                    f"this T2I-Adapter is for Stable Diffusion {'XL' if wide else '1.x'}, and the model is not: "
                    "choose an adapter made for the model's family"
                )
            features = self._features(network, _picture_size(call), like=call.x.to(self.model.network.dtype))
        placed = _wide_places(features, call) if wide else _places(features, call)
        return scaled(placed, self.hint.strength, call.x)

    def _features(self, network: T2IAdapter, size: tuple[int, int], like: Tensor) -> list[Tensor]:
        if size not in self._kept:
            side = network.config.unshuffle
            height, width = (-(-length // side) * side for length in size)
            pixels = self.hint.fitted(height, width, like=like)
            pixels = pixels.mean(dim=1, keepdim=True) if network.config.hint_channels == 1 else pixels
            self._kept.clear()
            self._kept[size] = network(pixels)
        return self._kept[size]


def _places(features: list[Tensor], call: ControlCall) -> Residuals:
    places: list[Tensor | None] = [None] * (FIRST_FEATURE + FEATURE_STEP * (len(features) - 1) + 1)
    for level, feature in enumerate(features):
        places[FIRST_FEATURE + FEATURE_STEP * level] = for_rows(feature, call)
    return Residuals(features=tuple(places))


def _wide_places(features: list[Tensor], call: ControlCall) -> Residuals:
    places: list[Tensor | None] = [None] * (WIDE_FEATURES[-1] + 1)
    for place, feature in zip(WIDE_FEATURES, features, strict=False):
        places[place] = for_rows(feature, call)
    return Residuals(features=tuple(places), middle=for_rows(features[-1], call))


def _picture_size(call: ControlCall) -> tuple[int, int]:
    return call.x.shape[2] * STRIDE, call.x.shape[3] * STRIDE


def for_rows(tensor: Tensor, call: ControlCall) -> Tensor:
    """One entry for each row of the call: the pictures of a batch in turn, and that again for each prompt."""
    if len(tensor) == 1:
        return tensor.expand(len(call.x), *tensor.shape[1:])
    return repeated_to(repeated_to(tensor, call.pictures), len(call.x))


def scaled(residuals: Residuals, strength: float, like: Tensor) -> Residuals:
    """The residuals times a strength, as `like` computes."""

    def one(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else (tensor * strength).to(like)

    return Residuals(tuple(map(one, residuals.features)), tuple(map(one, residuals.skips)), one(residuals.middle))


def _pooled(residuals: Residuals) -> Residuals:
    """The residuals' means over the picture."""
    skips = tuple(None if skip is None else skip.mean(dim=(2, 3), keepdim=True) for skip in residuals.skips)
    middle = None if residuals.middle is None else residuals.middle.mean(dim=(2, 3), keepdim=True)
    return replace(residuals, skips=skips, middle=middle)


def _refuse_other_family(network: ControlNet, call: ControlCall) -> None:
    half = network.config.half
    vector = None if call.y is None else call.y.shape[1]
    fits = half.context_dim in (0, call.context.shape[2]) and half.adm_in_channels in (None, vector)
    if not fits or half.in_channels != call.x.shape[1]:
        raise ValueError(
            f"this ControlNet was made for a model whose text features are {half.context_dim} wide and whose size "
            f"vector is {half.adm_in_channels or 'none'}; the model in use has {call.context.shape[2]} and "
            f"{vector or 'none'}: choose a ControlNet made for the model's family"
        )
