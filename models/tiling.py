"""Networks applied to pictures (b, c, h, w) too large for them: tile by tile, faded into each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]
Report = Callable[[int, int], None]
"""Is told how many tiles or pictures are done, and of how many; may raise to stop."""


@dataclass(frozen=True)
class Tiles:
    """How a picture is cut: tiles of height × width pixels, of which neighbors share `overlap`."""

    height: int
    width: int
    overlap: int

    def cuts(self, height: int, width: int) -> bool:
        """Whether a picture of this size takes more than one tile."""
        return height > self.height or width > self.width

    def corners(self, height: int, width: int) -> list[tuple[int, int]]:
        """The upper left corners (y, x) of the tiles; those at the picture's right and bottom may be smaller."""
        return list(product(_starts(height, self.height, self.overlap), _starts(width, self.width, self.overlap)))


def square_and_long(side: int, overlap: int) -> tuple[Tiles, ...]:
    """Square tiles, wide ones and high ones: seams of the one are the middles of the others.

    They share at most a quarter of the square's side.
    """
    overlap = min(overlap, side // 4)
    return Tiles(side * 2, side // 2, overlap), Tiles(side // 2, side * 2, overlap), Tiles(side, side, overlap)


def averaged_in_tiles(x: Tensor, function: Function, ways: Sequence[Tiles], scale: Fraction, report: Report) -> Tensor:
    """The mean of what a function that changes sizes by `scale` makes of the picture, cut in each of these ways.

    The function gets tiles (1, c, h, w). Where tiles overlap, their results are averaged, weighted by the nearness to
    each tile's middle. Returns float32 on the CPU.
    """
    height, width = x.shape[-2:]
    if not any(way.cuts(height, width) for way in ways):
        ways = ways[:1]
    total = len(x) * sum(len(way.corners(height, width)) for way in ways)
    done = 0

    def counted(tile: Tensor) -> Tensor:
        nonlocal done
        result = function(tile).float().cpu()
        done += 1
        report(done, total)
        return result

    pictures = [sum(_in_tiles(one, counted, way, scale) for way in ways) / len(ways) for one in x.split(1)]
    return torch.cat(pictures)  # pyright: ignore[reportArgumentType]


def _in_tiles(x: Tensor, function: Function, tiles: Tiles, scale: Fraction) -> Tensor:
    height, width = x.shape[-2:]
    if not tiles.cuts(height, width):
        return function(x)
    feather = round(tiles.overlap * scale)
    total = weights = torch.zeros(())
    for top, left in tiles.corners(height, width):
        part = function(x[..., top : top + tiles.height, left : left + tiles.width])
        if not total.ndim:
            total = part.new_zeros(1, part.shape[1], round(height * scale), round(width * scale))
            weights = torch.zeros_like(total[:, :1])
        rows, columns = part.shape[-2:]
        y, x_ = round(top * scale), round(left * scale)
        weight = _faded(rows, feather)[:, None] * _faded(columns, feather)[None, :]
        total[..., y : y + rows, x_ : x_ + columns] += part * weight
        weights[..., y : y + rows, x_ : x_ + columns] += weight
    return total / weights


def _starts(size: int, tile: int, overlap: int) -> Sequence[int]:
    return range(0, size - overlap, tile - overlap) if size > tile else (0,)


def _faded(size: int, feather: int) -> Tensor:
    """Weights that rise and fall within `feather` pixels of both ends; all ones where there is no room for that."""
    if feather == 0 or feather >= size:
        return torch.ones(size)
    rising = (torch.arange(1, size + 1) / feather).clamp(max=1.0)
    return rising * rising.flip(0)
