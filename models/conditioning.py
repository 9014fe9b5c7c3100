"""What guides a network: encoded prompts, and where, when and how strongly each of them is heard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from models.sampling.levels import NoiseLevels
from models.unet_patches import Residuals, UNetPatches


@dataclass(frozen=True)
class Area:
    """A rectangle of a latent, in its pixels."""

    height: int
    width: int
    y: int
    x: int


@dataclass(frozen=True)
class FractionalArea:
    """A rectangle in shares 0..1 of the picture's height and width."""

    height: float
    width: float
    y: float
    x: float


@dataclass(frozen=True)
class PictureSize:
    """What a picture's file was like in pixels, as SDXL was told in training; arXiv:2307.01952 § 2.2."""

    width: int
    height: int
    crop_w: int = 0
    crop_h: int = 0
    target_width: int | None = None
    target_height: int | None = None


@dataclass(frozen=True, eq=False)
class Concat:
    """What a network with more input channels sees beside the noise: a raw latent (b 4 h w) and a mask (b 1 h' w')."""

    latent: Tensor
    mask: Tensor | None = None


@dataclass(frozen=True, eq=False)
class ImagePrompt:
    """An encoded picture (b, width) as prompt, and how much noise is mixed into it, 0..1; arXiv:2204.06125."""

    embeds: Tensor
    strength: float = 1.0
    noise_augmentation: float = 0.0


@dataclass(frozen=True, eq=False)
class ControlCall:
    """What a control sees of one evaluation of the network, batched over prompts: b rows of `pictures` each."""

    x: Tensor
    """The network's input (b c h w), scaled, in the dtype the network computes in."""
    timesteps: Tensor
    """(b,) float32."""
    sigma: Tensor
    """Scalar."""
    context: Tensor
    """(b n width)."""
    y: Tensor | None
    """(b, adm) or None."""
    pictures: int
    """How many pictures the latent batch has; the rows repeat them once for each prompt."""
    levels: NoiseLevels
    network: Callable[..., Tensor]
    """What is steered; some controls borrow its weights."""


class Control(Protocol):
    """Something that steers a UNet from outside, such as a ControlNet with its hint picture and strength."""

    def residuals(self, call: ControlCall) -> Residuals | None:
        """What to add inside the UNet, already scaled by the strength; None where the control is not active."""
        ...


class Boxes(Protocol):
    """Words that belong in boxes of the picture: changes to attention while a prompt is asked; arXiv:2301.07093."""

    @property
    def unet(self) -> UNetPatches: ...


@dataclass(frozen=True, eq=False)
class Cond:
    """One encoded prompt, and where and when it is heard.

    `context` (1, n, width) are token features, `pooled` (1, width') the pooled output. The prompt is heard with
    `strength` in its `area` and through its `mask` (b h w, 0..1, times `mask_strength`); `mask_bounds` limits the
    area to the mask's box. It is heard from `start` to `end`, shares 0..1 of the way from noise to picture.
    `size` and `aesthetic` condition SDXL, `concat` networks with more input channels, `images` are pictures as
    prompts. `controls` steer the UNet; those that are `controls_shared` steer the negative prompt too, if it has
    none of its own. `control_context` is the text that controls are told in place of `context`. `boxes` say which
    words belong where, to the negative prompt too. `extra` is what foreign nodes have noted.
    """

    context: Tensor
    pooled: Tensor | None = None
    strength: float = 1.0
    area: Area | FractionalArea | None = None
    mask: Tensor | None = None
    mask_strength: float = 1.0
    mask_bounds: bool = False
    start: float = 0.0
    end: float = 1.0
    size: PictureSize | None = None
    aesthetic: float | None = None
    concat: Concat | None = None
    images: tuple[ImagePrompt, ...] = ()
    controls: tuple[Control, ...] = ()
    controls_shared: bool = False
    control_context: Tensor | None = None
    boxes: Boxes | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


Conditioning = tuple[Cond, ...]
"""What guides a network: one entry or several, whose predictions are averaged by their weights."""


@dataclass(frozen=True, eq=False)
class Occasion:
    """What does not change over a run of sampling: the latent in model scale (b c h w), its mask, the seed, and so on.

    `negative` tells for which side of the guidance a prompt is prepared.
    """

    start: Tensor
    stride: int
    """Pixels of the picture for one of the latent."""
    mask: Tensor | None = None
    """(b 1 h w) in 0..1, or None."""
    seed: int = 0
    negative: bool = False
    sigmas: Tensor | None = None
    """(n,), where a run walks some."""
    noise: Tensor | None = None
    """(b c h w), what is added to the latent at the beginning of a run."""

    @property
    def height(self) -> int:
        """Of the picture, in pixels."""
        return self.start.shape[2] * self.stride

    @property
    def width(self) -> int:
        """Of the picture, in pixels."""
        return self.start.shape[3] * self.stride


class VectorRule(Protocol):
    """How a family makes the vector that its UNet is conditioned on."""

    def vector(self, cond: Cond, occasion: Occasion) -> Tensor:
        """The vector (1, adm), float32."""
        ...


class ConcatRule(Protocol):
    """How a family fills the input channels that its UNet has beside those of the latent."""

    def channels(self, cond: Cond, occasion: Occasion) -> Tensor:
        """The channels (b, c', h, w), float32, in model scale, on the device of the occasion's latent."""
        ...
