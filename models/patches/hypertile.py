"""HyperTile: self-attention of tiles of the picture, which costs less and drifts less at large sizes.

The method is tfernd's (github.com/tfernd/HyperTile), in the form that ComfyUI made usual: a tile of queries attends to
as many keys, but those are cut in reading order, so that they are strips across the picture; and height and width
change places in the cut, which a square picture does not notice.
"""

from dataclasses import dataclass, field

import torch
from einops import rearrange
from torch import Tensor

from models.unet_patches import AttentionPatches, Call, Place, UNetPatches

SMALLEST_TILE = 32
"""Pixels of the picture that a tile's side has at least."""


@dataclass
class _Tiled:
    """How the features of the attention layer that runs were cut: rows, columns, and the sides of a tile."""

    cut: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class HyperTile:
    """Tiles of at least `tile_size` pixels of the picture, at one of `swap_size` sizes by chance.

    Resolutions of the UNet down to `max_depth` halvings are tiled; `scale_depth` makes tiles there as large in the
    picture as at the top.
    """

    tile_size: int
    swap_size: int
    max_depth: int
    scale_depth: bool
    seed: int = 0
    _tiled: _Tiled = field(default_factory=_Tiled, repr=False, compare=False)

    def patches(self) -> UNetPatches:
        """What cuts features into tiles before self-attention and joins them after it."""
        return UNetPatches(self_attention=AttentionPatches(inputs=(self._cut,), outputs=(self._join,)))

    def _cut(self, x: Tensor, key: Tensor, value: Tensor, place: Place, call: Call) -> tuple[Tensor, Tensor, Tensor]:
        self._tiled.cut = self._cut_of(x.shape[1], place, call)
        if self._tiled.cut is None:
            return x, key, value
        rows, columns, height, width = self._tiled.cut
        pattern = "b (rows h columns w) c -> (b rows columns) (h w) c"
        tiles = rearrange(x, pattern, rows=rows, columns=columns, h=height, w=width)
        keys, values = (
            rearrange(part, "b (strips n) c -> (b strips) n c", strips=rows * columns) for part in (key, value)
        )
        return tiles, keys, values

    def _join(self, out: Tensor, place: Place, call: Call) -> Tensor:
        if self._tiled.cut is None:
            return out
        rows, columns, height, width = self._tiled.cut
        pattern = "(b rows columns) (h w) c -> b (rows h columns w) c"
        return rearrange(out, pattern, rows=rows, columns=columns, h=height, w=width)

    def _cut_of(self, pixels: int, place: Place, call: Call) -> tuple[int, int, int, int] | None:
        height, width = call.shape[2:]
        depth = next((d for d in range(self.max_depth + 1) if height * width == pixels * 4**d), None)
        if depth is None:
            return None
        smallest = max(SMALLEST_TILE, self.tile_size) // 8 * (2**depth if self.scale_depth else 1)
        chance = self._chance(place, call)
        down, across = width >> depth, height >> depth  # as the method is usual: see above
        rows, columns = (chosen_count(side, smallest, self.swap_size, chance) for side in (down, across))
        return (rows, columns, down // rows, across // columns) if rows * columns > 1 else None

    def _chance(self, place: Place, call: Call) -> torch.Generator:
        """The same for the same place and sigma, so that a picture can be made again."""
        where = ("input", "middle", "output").index(place.path) * 10_000 + place.number * 100 + place.index
        return torch.Generator().manual_seed(self.seed + where + int(float(call.sigma) * 1e6) * 100_000)


def chosen_count(side: int, smallest: int, choices: int, chance: torch.Generator) -> int:
    """Into how many equal parts a side is cut: parts of at least `smallest`, of one of the `choices` least lengths.

    The longest of these is never taken if there are others.
    """
    lengths = [length for length in range(min(smallest, side), side + 1) if side % length == 0]
    counts = [side // length for length in lengths[:choices]]
    return counts[int(torch.randint(max(len(counts) - 1, 1), (1,), generator=chance))]
