"""Filters are applied to every picture of a batch, channels last."""

import pytest
import torch

from models.edges import canny
from models.filters import blurred
from models.morphology import dilated
from nodes.context import Context
from nodes.image_filters import (
    canny_edges,
    image_add_noise,
    image_blend,
    image_blur,
    image_invert,
    image_quantize,
    image_sharpen,
    morphology,
)

PICTURE = torch.rand(2, 12, 10, 3)


def test_a_negative_of_a_negative_is_the_picture() -> None:
    torch.testing.assert_close(image_invert(image_invert(PICTURE)), PICTURE)


def test_a_layer_takes_the_size_of_the_picture_below() -> None:
    blend = image_blend(PICTURE, torch.ones(1, 5, 5, 3), 1.0, blend_mode="normal")
    torch.testing.assert_close(blend, torch.ones(2, 12, 10, 3))


def test_blurring_and_sharpening_pull_apart_and_stay_in_range() -> None:
    assert torch.equal(image_blur(PICTURE, 2, 0.5), blurred(PICTURE.movedim(-1, 1), 2, 0.5).movedim(1, -1))
    sharp = image_sharpen(PICTURE, 1, 1.0, 5.0)
    assert (sharp.min(), sharp.max()) == (0, 1)


def test_colors_are_reduced_picture_by_picture(context: Context) -> None:
    reduced = image_quantize(image=PICTURE, colors=3, dither="none", context=context)
    assert all(len(picture.reshape(-1, 3).unique(dim=0)) <= 3 for picture in reduced)


def test_noise_is_that_of_the_seed() -> None:
    noisy = image_add_noise(PICTURE, 5, 0.1)
    noise = torch.randn(PICTURE.shape, generator=torch.Generator().manual_seed(5))
    assert torch.equal(noisy, (PICTURE + 0.1 * noise).clamp(0, 1))
    assert torch.equal(image_add_noise(PICTURE, 5, 0.0), PICTURE)


def test_edges_are_white_on_black() -> None:
    edges = canny_edges(PICTURE, 0.1, 0.3)
    assert edges.shape == PICTURE.shape
    assert torch.equal(edges[..., 1], canny(PICTURE.movedim(-1, 1), 0.1, 0.3)[:, 0])
    with pytest.raises(ValueError, match=r"low_threshold 0.5 is above high_threshold 0.2"):
        canny_edges(PICTURE, 0.5, 0.2)


def test_morphology_treats_each_color_alone() -> None:
    widened = morphology(image=PICTURE, operation="dilate", kernel_size=3)
    assert torch.equal(widened[..., 2], dilated(PICTURE[..., 2], 3))
