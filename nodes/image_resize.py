"""One node for all the ways in which a size can be said."""

import math
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from torch import Tensor

from models.resize import ImageResizeMethod, resize_image
from nodes.image_scale import MEGAPIXEL, Crop
from nodes.mask import as_batch
from nodes.sizes import Side, SideOrZero
from nodes.spec import Number, Socket, Variants, node

IMAGE_OR_MASK = Annotated[Tensor, Socket("IMAGE,MASK")]


class Size(NamedTuple):
    """A size in pixels; `center`: what does not fit its shape is cut off evenly."""

    width: int
    height: int
    center: bool = False

    def scaled(self, scale: float) -> "Size":
        """The size times a factor. A factor of 0, as comes of a length of 0, leaves it as it is."""
        scale = scale or 1.0
        return Size(max(1, round(self.width * scale)), max(1, round(self.height * scale)))


@dataclass(frozen=True)
class ToDimensions:
    """Both sides; one of 0 follows from the other."""

    width: SideOrZero = 512
    height: SideOrZero = 512
    crop: Crop = "center"

    def of(self, old: Size) -> Size:
        if self.width and self.height:
            return Size(self.width, self.height, self.crop == "center")
        return old.scaled(self.width / old.width or self.height / old.height)


@dataclass(frozen=True)
class ByMultiplier:
    """A factor for both sides."""

    multiplier: Annotated[float, Number(0.01, 8.0, step=0.01)] = 1.0

    def of(self, old: Size) -> Size:
        return old.scaled(self.multiplier)


@dataclass(frozen=True)
class ToLonger:
    """The longer side; the other follows."""

    longer_size: SideOrZero = 512

    def of(self, old: Size) -> Size:
        return old.scaled(self.longer_size / max(old.width, old.height))


@dataclass(frozen=True)
class ToShorter:
    """The shorter side; the other follows."""

    shorter_size: SideOrZero = 512

    def of(self, old: Size) -> Size:
        return old.scaled(self.shorter_size / min(old.width, old.height))


@dataclass(frozen=True)
class ToWidth:
    """The width; the height follows."""

    width: SideOrZero = 512

    def of(self, old: Size) -> Size:
        return old.scaled(self.width / old.width)


@dataclass(frozen=True)
class ToHeight:
    """The height; the width follows."""

    height: SideOrZero = 512

    def of(self, old: Size) -> Size:
        return old.scaled(self.height / old.height)


@dataclass(frozen=True)
class ToTotalPixels:
    """The number of pixels; one megapixel is 1024 × 1024."""

    megapixels: Annotated[float, Number(0.01, 16.0, step=0.01)] = 1.0

    def of(self, old: Size) -> Size:
        return old.scaled(math.sqrt(self.megapixels * MEGAPIXEL / (old.width * old.height)))


@dataclass(frozen=True)
class ToMatch:
    """The size of another picture or mask."""

    match: IMAGE_OR_MASK
    crop: Crop = "center"

    def of(self, old: Size) -> Size:
        height, width = _as_images(self.match).shape[1:3]
        return Size(width, height, self.crop == "center")


@dataclass(frozen=True)
class ToMultiple:
    """The largest size within the old one whose sides are multiples; what is over is cut off evenly."""

    multiple: Side = 8

    def of(self, old: Size) -> Size:
        width, height = (max(1, side // self.multiple) * self.multiple for side in (old.width, old.height))
        return Size(width, height, center=True)


WAYS = {
    "scale dimensions": ToDimensions,
    "scale by multiplier": ByMultiplier,
    "scale longer dimension": ToLonger,
    "scale shorter dimension": ToShorter,
    "scale width": ToWidth,
    "scale height": ToHeight,
    "scale total pixels": ToTotalPixels,
    "match size": ToMatch,
    "scale to multiple": ToMultiple,
}
Way = ToDimensions | ByMultiplier | ToLonger | ToShorter | ToWidth | ToHeight | ToTotalPixels | ToMatch | ToMultiple


@node("ResizeImageMaskNode", name="Resize Image/Mask", category="image/transform", outputs=("resized",))
def resize_image_mask(
    input: IMAGE_OR_MASK, resize_type: Annotated[Way, Variants(WAYS)], scale_method: ImageResizeMethod = "area"
) -> IMAGE_OR_MASK:
    """Enlarges or shrinks a picture or a mask to a size that can be said in many ways."""
    images = _as_images(input)
    height, width = images.shape[1:3]
    size = resize_type.of(Size(width, height))
    resized = resize_image(images, size.width, size.height, scale_method, size.center)
    return resized if input.ndim == 4 else resized.squeeze(-1)


def _as_images(value: Tensor) -> Tensor:
    """Pictures (b, h, w, c) as they are, masks (…, h, w) with one channel."""
    return value if value.ndim == 4 else as_batch(value).unsqueeze(-1)
