"""Deep shrink: a UNet works on fewer pixels while noise is high, so that large pictures keep one composition.

The method is Kohya's ("Kohya Deep Shrink"); compare HiDiffusion, arXiv:2311.17528.
"""

from dataclasses import dataclass

from torch import Tensor

from models.resize import ResizeMethod, resize_latent
from models.unet_patches import Call, Place


@dataclass(frozen=True)
class Downscale:
    """After input block `number`, features shrink by `factor` while sigma lies in `last` .. `first`."""

    number: int
    factor: float
    first: float
    last: float
    method: ResizeMethod

    def __call__(self, features: Tensor, place: Place, call: Call) -> Tensor:
        if place.number != self.number or not self.last <= float(call.sigma) <= self.first:
            return features
        height, width = (round(side / self.factor) for side in features.shape[2:])
        return resize_latent(features, width, height, self.method, center=False)


@dataclass(frozen=True)
class UpscaleToSkip:
    """Before an output block joins them, features take the size of the skip connection."""

    method: ResizeMethod

    def __call__(self, features: Tensor, skip: Tensor, place: Place, call: Call) -> tuple[Tensor, Tensor]:
        if features.shape[2:] != skip.shape[2:]:
            features = resize_latent(features, skip.shape[3], skip.shape[2], self.method, center=False)
        return features, skip
