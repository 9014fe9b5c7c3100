"""Self-attention guidance: away from a prediction on a latent blurred where the network looks; arXiv:2210.00939."""

import math
from dataclasses import dataclass, field

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from models.filters import blurred
from models.sampling.patches import Estimated, Round
from models.unet_patches import Attention, AttentionPatches, Call, Place, UNetPatches

THRESHOLD = 1.0
"""Pixels that get more than this share of attention, summed over all that ask, are blurred."""

RADIUS = 4
"""Pixels of the latent that the blur reaches over to each side."""

SMALLEST = 4
"""Latents of no more pixels a side are left alone."""


@dataclass
class _Seen:
    """The attention map of the negative in the middle block, of the evaluation that was made last."""

    scores: Tensor | None = None


@dataclass(frozen=True)
class SelfAttention:
    """Adds `scale` times the distance from the estimate on the blurred latent; `blur` is its sigma in pixels.

    Watches the middle block's first self-attention (`watching`), then asks once more for the negative.
    """

    scale: float
    blur: float
    _seen: _Seen = field(default_factory=_Seen, repr=False, compare=False)

    def watching(self) -> UNetPatches:
        """What notes the attention map while the network is evaluated."""
        return UNetPatches(self_attention=AttentionPatches(instead={Place("middle", 0): self._watched}))

    def _watched(self, layer: Attention, x: Tensor, key: Tensor, value: Tensor, place: Place, call: Call) -> Tensor:
        projected = layer.to_q(x), layer.to_k(key), layer.to_v(value)
        q, k, v = (rearrange(part, "b n (h d) -> b h n d", h=layer.heads) for part in projected)
        scores = (q.float() @ k.float().transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(dim=-1)
        if max(call.prompts) > 0:
            row = call.prompts.index(max(call.prompts)) * call.pictures
            self._seen.scores = scores[row : row + call.pictures]
        return layer.to_out(rearrange(scores.to(v.dtype) @ v, "b h n d -> b n (h d)"))

    def __call__(self, guided: Tensor, estimated: Estimated, of: Round) -> Tensor:
        scores, away = self._seen.scores, estimated.away
        tiny = min(guided.shape[2:]) <= SMALLEST
        if 0 in (self.scale, self.blur) or tiny or scores is None or away is None or of.negative is None:
            return guided
        degraded = blurred_where_seen(away, scores, self.blur)
        (estimate,) = of.ask(degraded + of.x - away, of.sigma, [of.negative])
        return guided + (degraded - estimate) * self.scale


def blurred_where_seen(x: Tensor, scores: Tensor, sigma: float) -> Tensor:
    """x (b c h w), blurred where the attention map scores (b heads n n) says that pixels are looked at."""
    height, width = _halved_to(x.shape[2], x.shape[3], scores.shape[-1])
    looked_at = scores.mean(dim=1).sum(dim=1) > THRESHOLD
    mask = looked_at.reshape(-1, 1, height, width).to(x.dtype)
    mask = F.interpolate(mask, size=x.shape[2:], mode="nearest")
    return blurred(x, RADIUS, sigma / RADIUS) * mask + x * (1 - mask)


def _halved_to(height: int, width: int, pixels: int) -> tuple[int, int]:
    """Halves the sides, rounding up as strided convolutions do, until they have so many pixels."""
    while height * width > pixels and max(height, width) > 1:
        height, width = -(-height // 2), -(-width // 2)
    return height, width
