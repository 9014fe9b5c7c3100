"""Arithmetic with latents (b, c, h, w)."""

from torch import Tensor

from models.batches import repeated_to
from models.filters import sharpened
from models.resize import resize_latent

TINY = 1e-6
STEEPNESS = 5
"""Standard deviations above the mean that tone mapping takes for the brightest."""


def fitted(x: Tensor, like: Tensor) -> Tensor:
    """Brings latents to the size of others (bilinear, the longer axis cut about the center) and to their number."""
    height, width = like.shape[-2:]
    if x.shape[-2:] != like.shape[-2:]:
        x = resize_latent(x, width, height, "bilinear", center=True)
    return repeated_to(x, len(like)).to(like)


def interpolated(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Mixes directions and lengths of the channel vectors apart; `share` is that of the first."""
    length_a, length_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    direction = (a / length_a).nan_to_num() * share + (b / length_b).nan_to_num() * (1 - share)
    direction = (direction / direction.norm(dim=1, keepdim=True)).nan_to_num()
    return direction * (length_a * share + length_b * (1 - share))


def tone_mapped(latent: Tensor, multiplier: float) -> Tensor:
    """Compresses the lengths m of the channel vectors to m / (1 + m / top).

    E. Reinhard et al., "Photographic tone reproduction for digital images", SIGGRAPH 2002, Eq. 3. `top` is five
    standard deviations above the mean length, times the multiplier.
    """
    length = latent.norm(dim=1, keepdim=True) + 1e-10
    rest = tuple(range(1, latent.ndim))
    top = (length.std(dim=rest, keepdim=True) * STEEPNESS + length.mean(dim=rest, keepdim=True)) * multiplier
    scaled = length / top
    return latent / length * (scaled / (scaled + 1) * top)


def sharpened_directions(latent: Tensor, radius: int, sigma: float, alpha: float) -> Tensor:
    """Sharpens the channel vectors' directions and leaves their lengths."""
    length = latent.norm(dim=1, keepdim=True) + TINY
    return length * sharpened(latent / length, radius, sigma, alpha)
