"""What is done in tiles is what is done at once, as far as the tiles see."""

from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F

from models.tiling import Tiles, averaged_in_tiles, square_and_long


def silent(done: int, total: int) -> None:
    """Reports to nobody."""


@pytest.mark.parametrize("size", [(40, 56), (33, 47), (16, 90), (15, 15)])
@pytest.mark.parametrize("scale", [Fraction(4), Fraction(1), Fraction(1, 8)])
def test_a_function_of_single_pixels_needs_no_more_than_its_tile(size: tuple[int, int], scale: Fraction) -> None:
    """Of a downscaling the tiles begin at multiples of it, as those of an autoencoder do."""
    unit = max(1, scale.denominator)
    x = torch.rand(2, 3, size[0] * unit, size[1] * unit)

    def resized(tile: torch.Tensor) -> torch.Tensor:
        return F.interpolate(tile, scale_factor=float(scale), mode="nearest-exact")

    tiled = averaged_in_tiles(x, resized, square_and_long(16 * unit, 4 * unit), scale, silent)
    torch.testing.assert_close(tiled, resized(x))


def test_tiles_cover_the_picture_and_share_the_overlap() -> None:
    tiles = Tiles(16, 32, 4)
    covered = torch.zeros(41, 90)
    for top, left in tiles.corners(41, 90):
        covered[top : top + 16, left : left + 32] += 1
    assert covered.min() == 1
    assert (covered[:, 28:32] >= 2).all()
    assert (covered[12:16] >= 2).all()


def test_seams_fade_from_one_tile_into_the_next() -> None:
    """Each tile gives its number: between the middles of two tiles the values go evenly from one to the other."""
    numbers = iter((0.0, 1.0))
    tiled = averaged_in_tiles(
        torch.zeros(1, 1, 8, 28),
        lambda tile: torch.full_like(tile, next(numbers)),
        [Tiles(8, 16, 4)],
        Fraction(1),
        silent,
    )
    row = tiled[0, 0, 0]
    assert row[:12].max() == 0
    torch.testing.assert_close(row[12:16], torch.tensor([0.2, 0.4, 0.6, 0.8]))
    assert row[16:].min() == 1


def test_what_fits_is_done_once_for_all_ways() -> None:
    calls: list[tuple[int, ...]] = []

    def counted(tile: torch.Tensor) -> torch.Tensor:
        calls.append(tuple(tile.shape))
        return tile

    averaged_in_tiles(torch.rand(2, 3, 8, 8), counted, square_and_long(16, 4), Fraction(1), silent)
    assert calls == [(1, 3, 8, 8)] * 2


def test_every_tile_is_told_of_and_may_be_the_last() -> None:
    told: list[tuple[int, int]] = []

    def stop_at_third(done: int, total: int) -> None:
        told.append((done, total))
        if done == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        averaged_in_tiles(torch.rand(1, 1, 30, 30), torch.clone, [Tiles(16, 16, 2)], Fraction(1), stop_at_third)
    assert told == [(1, 4), (2, 4), (3, 4)]
