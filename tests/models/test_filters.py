"""Laws of blurring, blending and reducing colors."""

import numpy as np
import pytest
import torch

from models.blending import BLEND_MODES, blended
from models.dithering import bayer_pattern, quantized
from models.filters import blurred, sharpened


def test_a_blur_weighs_by_a_bell_curve_over_the_radius() -> None:
    point = torch.zeros(1, 1, 11, 11)
    point[0, 0, 5, 5] = 1
    spread = blurred(point, 2, 0.7)[0, 0]
    y, x = np.mgrid[-2:3, -2:3] / 2
    weights = np.exp(-(x**2 + y**2) / (2 * 0.7**2))
    torch.testing.assert_close(spread[3:8, 3:8], torch.from_numpy(weights / weights.sum()).float())
    assert spread.sum() == pytest.approx(1)


def test_what_is_even_stays_even_up_to_the_border() -> None:
    even = torch.full((2, 3, 9, 7), 0.3)
    torch.testing.assert_close(blurred(even, 3, 1.0), even)
    torch.testing.assert_close(sharpened(even, 3, 1.0, 2.0), even)


def test_sharpening_by_nothing_changes_nothing() -> None:
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(sharpened(x, 1, 1.0, 0.0), x)


def test_a_radius_larger_than_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="a radius of 8 needs more than 8 pixels"):
        blurred(torch.rand(1, 3, 8, 20), 8, 1.0)


@pytest.mark.parametrize("mode", BLEND_MODES)
def test_a_share_of_nothing_leaves_the_base(mode: str) -> None:
    base, layer = torch.rand(2, 1, 4, 4, 3)
    torch.testing.assert_close(blended(base, layer, mode, 0.0), base)
    mixed = blended(base, layer, mode, 0.5)
    torch.testing.assert_close(mixed, ((base + BLEND_MODES[mode](base, layer)) / 2).clamp(0, 1))


def test_modes_have_their_neutral_layers() -> None:
    base = torch.rand(1, 4, 4, 3)
    neutral = {"multiply": 1.0, "screen": 0.0, "overlay": 0.5, "soft_light": 0.5, "difference": 0.0}
    for mode, value in neutral.items():
        torch.testing.assert_close(BLEND_MODES[mode](base, torch.full_like(base, value)), base)


@pytest.mark.parametrize("dither", ["none", "floyd-steinberg", "bayer-2", "bayer-16"])
def test_a_picture_has_no_more_colors_than_asked_for(dither: str) -> None:
    picture = torch.rand(24, 20, 3)
    assert len(quantized(picture, 5, dither).reshape(-1, 3).unique(dim=0)) <= 5


def test_dithering_keeps_the_mean_of_a_gradient_better_than_none() -> None:
    gradient = torch.linspace(0, 1, 64).reshape(1, 64, 1).expand(64, 64, 3)

    def error(dither: str) -> float:
        columns = quantized(gradient, 4, dither).mean(dim=(0, 2)) - gradient.mean(dim=(0, 2))
        return float(columns.reshape(8, 8).mean(dim=1).abs().mean())

    assert error("bayer-8") < error("none") * 0.7
    assert error("floyd-steinberg") < error("none") / 2


@pytest.mark.parametrize("size", [2, 4, 8, 16])
def test_bayers_pattern_holds_every_level_once_and_is_centered(size: int) -> None:
    pattern = bayer_pattern(size)
    steps = (np.arange(size**2) + 0.5) / size**2 - 0.5
    np.testing.assert_allclose(np.sort(pattern.flatten()), steps, atol=1e-6)
