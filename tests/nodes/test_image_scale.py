"""Pictures get the size that is asked for."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nodes.image_scale import (
    image_scale,
    image_scale_by,
    image_scale_to_max_dimension,
    image_scale_to_total_pixels,
    resize_and_pad_image,
)

METHODS: list[Any] = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
PICTURE = torch.rand(2, 20, 30, 3, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_keeps_an_even_picture_and_gives_the_size(method: Any) -> None:
    even = torch.full((2, 20, 30, 3), 51 / 255)
    scaled = image_scale(image=even, upscale_method=method, width=47, height=11, crop="disabled")
    torch.testing.assert_close(scaled, torch.full((2, 11, 47, 3), 51 / 255))


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(0, 0, (20, 30)), (60, 0, (40, 60)), (0, 10, (10, 15)), (1, 0, (1, 1))]
)
def test_a_side_of_zero_follows_from_the_other(width: int, height: int, expected: tuple[int, int]) -> None:
    scaled = image_scale(image=PICTURE, upscale_method="bilinear", width=width, height=height, crop="disabled")
    assert scaled.shape[1:3] == expected


def test_lanczos_is_that_of_pil_on_8_bits() -> None:
    scaled = image_scale(image=PICTURE, upscale_method="lanczos", width=13, height=17, crop="disabled")
    levels = (PICTURE[1].numpy() * 255).astype(np.uint8)
    expected = np.asarray(Image.fromarray(levels).resize((13, 17), Image.Resampling.LANCZOS)) / np.float32(255)
    assert torch.equal(scaled[1], torch.from_numpy(expected))


def test_lanczos_takes_one_channel_too() -> None:
    gray = PICTURE[..., :1]
    scaled = image_scale(image=gray, upscale_method="lanczos", width=15, height=10, crop="disabled")
    assert scaled.shape == (2, 10, 15, 1)


def test_cropping_keeps_the_middle() -> None:
    ramp = torch.arange(30.0).reshape(1, 1, 30, 1).expand(1, 20, 30, 3)
    scaled = image_scale(image=ramp, upscale_method="nearest-exact", width=20, height=20, crop="center")
    assert scaled[0, 0, :, 0].tolist() == list(range(5, 25))


def test_a_factor_multiplies_both_sides() -> None:
    assert image_scale_by(PICTURE, "area", 1.55).shape[1:3] == (31, 46)
    assert image_scale_by(PICTURE, "area", 0.01).shape[1:3] == (1, 1)


@pytest.mark.parametrize(("steps", "expected"), [(1, (836, 1254)), (64, (832, 1280))])
def test_the_number_of_pixels_is_met_as_nearly_as_the_steps_allow(steps: int, expected: tuple[int, int]) -> None:
    assert image_scale_to_total_pixels(PICTURE[:1], "nearest-exact", 1.0, steps).shape[1:3] == expected


@pytest.mark.parametrize(("image", "expected"), [(PICTURE, (8, 12)), (PICTURE.transpose(1, 2), (12, 8))])
def test_the_longer_side_gets_the_largest_size(image: torch.Tensor, expected: tuple[int, int]) -> None:
    assert image_scale_to_max_dimension(image, "bilinear", 12).shape[1:3] == expected
    with pytest.raises(ValueError, match="largest_size is 0"):
        image_scale_to_max_dimension(image, "bilinear", 0)


def test_padding_fills_what_the_shape_leaves() -> None:
    padded = resize_and_pad_image(
        image=PICTURE, target_width=30, target_height=40, padding_color="white", interpolation="area"
    )
    assert torch.equal(padded[:, 10:30], PICTURE)
    assert (padded[:, :10] == 1).all()
    assert (padded[:, 30:] == 1).all()
