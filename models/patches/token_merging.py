"""Token merging: self-attention on fewer tokens, the most alike of which are averaged; arXiv:2303.17604."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.unet_patches import AttentionPatches, Call, Place, UNetPatches

STRIDE = 2
"""Of each square of so many tokens a side, one is kept and others may be merged into it."""


@dataclass(frozen=True, eq=False)
class Merge:
    """Which tokens were merged into which: all as indices into the tokens (b, n) that were there before."""

    kept: Tensor
    """(b, m) tokens that stay as they are."""
    merged: Tensor
    """(b, r) tokens that are averaged into others."""
    centers: Tensor
    """(b, k) tokens that others are averaged into."""
    center_of: Tensor
    """(b, r) for each merged token the place of its center in `centers`."""

    def merge(self, x: Tensor) -> Tensor:
        """The tokens (b n c) → (b, m + k, c): those kept, then the centers averaged with what merges into them."""
        channels = x.shape[-1]
        centers, merged = _taken(x, self.centers), _taken(x, self.merged)
        index = self.center_of[..., None].expand(-1, -1, channels)
        averaged = centers.scatter_reduce(1, index, merged, reduce="mean", include_self=True)
        return torch.cat([_taken(x, self.kept), averaged], dim=1)

    def unmerge(self, y: Tensor, count: int) -> Tensor:
        """Back to `count` tokens, where a merged one is what its center became."""
        kept, centers = y[:, : self.kept.shape[1]], y[:, self.kept.shape[1] :]
        out = y.new_zeros(len(y), count, y.shape[-1])
        for index, values in (
            (self.kept, kept),
            (self.centers, centers),
            (self.merged, _taken(centers, self.center_of)),
        ):
            out.scatter_(1, index[..., None].expand(-1, -1, y.shape[-1]), values)
        return out


def _taken(x: Tensor, index: Tensor) -> Tensor:
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[-1]))


def merge_of(x: Tensor, height: int, width: int, count: int, chance: torch.Generator) -> Merge:
    """Finds the `count` tokens of x (b, height·width, c) that are most like a center, and their centers.

    A random token of each square is a center; likeness is the cosine.
    """
    batch, tokens, _ = x.shape
    centers = _centers(height, width, chance).to(x.device)
    is_center = torch.zeros(tokens, dtype=torch.bool, device=x.device)
    is_center[centers] = True
    others = (~is_center).nonzero()[:, 0]
    count = min(count, len(others))
    unit = torch.nn.functional.normalize(x, dim=-1)
    likeness, nearest = (unit[:, others] @ unit[:, centers].transpose(-1, -2)).max(dim=-1)
    order = likeness.argsort(dim=-1, descending=True)
    return Merge(
        kept=others[order[:, count:]],
        merged=others[order[:, :count]],
        centers=centers.expand(batch, -1),
        center_of=nearest.gather(1, order[:, :count]),
    )


def _centers(height: int, width: int, chance: torch.Generator) -> Tensor:
    """One token of each square, by chance: (k,) indices. What is left over at the borders has none."""
    rows, columns = height // STRIDE, width // STRIDE
    chosen = torch.randint(STRIDE * STRIDE, (rows, columns), generator=chance)
    y = torch.arange(rows)[:, None] * STRIDE + chosen // STRIDE
    x = torch.arange(columns)[None, :] * STRIDE + chosen % STRIDE
    return (y * width + x).flatten()


@dataclass
class _Merging:
    """The merge of the attention layer that runs, and how many tokens there were."""

    merge: Merge | None = None
    tokens: int = 0


@dataclass(frozen=True)
class TokenMerging:
    """Merges a `ratio` 0..1 of the tokens before self-attention at the UNet's full resolution, and undoes it after."""

    ratio: float
    seed: int = 0
    _merging: _Merging = field(default_factory=_Merging, repr=False, compare=False)

    def patches(self) -> UNetPatches:
        """What merges tokens before self-attention and spreads the result after it."""
        return UNetPatches(self_attention=AttentionPatches(inputs=(self._merge,), outputs=(self._unmerge,)))

    def _merge(self, x: Tensor, key: Tensor, value: Tensor, place: Place, call: Call) -> tuple[Tensor, Tensor, Tensor]:
        height, width = call.shape[2:]
        count = int(x.shape[1] * self.ratio)
        fits = x.shape[1] == height * width and height >= STRIDE and width >= STRIDE
        if not fits or count == 0:
            self._merging.merge = None
            return x, key, value
        chance = torch.Generator().manual_seed(self.seed)
        found = merge_of(x, height, width, count, chance)
        self._merging.merge, self._merging.tokens = found, x.shape[1]
        merged = found.merge(x)
        if key is x and value is x:
            return merged, merged, merged
        return merged, found.merge(key), found.merge(value)

    def _unmerge(self, out: Tensor, place: Place, call: Call) -> Tensor:
        if self._merging.merge is None:
            return out
        return self._merging.merge.unmerge(out, self._merging.tokens)
