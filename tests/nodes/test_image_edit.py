"""Pictures are made, cut, turned, padded and joined."""

from typing import Any

import pytest
import torch

from nodes.image_edit import (
    empty_image,
    get_image_size,
    image_crop,
    image_flip,
    image_pad_for_outpaint,
    image_rotate,
    image_stitch,
)

PICTURE = torch.rand(2, 6, 9, 3)


def test_an_empty_picture_has_the_color_in_every_pixel() -> None:
    image = empty_image(3, 2, 4, 0x3366FF)
    assert get_image_size(image) == (3, 2, 4)
    torch.testing.assert_close(image[3, 1, 2], torch.tensor([0.2, 0.4, 1.0]))
    assert image.reshape(-1, 3).unique(dim=0).shape[0] == 1


def test_a_crop_beyond_the_border_keeps_the_last_pixel() -> None:
    assert torch.equal(image_crop(PICTURE, 2, 3, 4, 1), PICTURE[:, 1:4, 4:6])
    assert torch.equal(image_crop(PICTURE, 5, 5, 100, 100), PICTURE[:, -1:, -1:])


def test_a_quarter_turn_is_clockwise_and_four_are_none() -> None:
    turned = image_rotate(PICTURE, "90 degrees")
    assert torch.equal(turned[:, 0, -1], PICTURE[:, 0, 0])
    assert torch.equal(image_rotate(turned, "270 degrees"), PICTURE)
    assert torch.equal(image_rotate(turned, "90 degrees"), image_rotate(PICTURE, "180 degrees"))
    assert torch.equal(image_rotate(PICTURE, "none"), PICTURE)


def test_a_mirror_swaps_the_sides_that_it_names() -> None:
    assert torch.equal(image_flip(PICTURE, "x-axis: vertically")[:, 0], PICTURE[:, -1])
    assert torch.equal(image_flip(PICTURE, "y-axis: horizontally")[:, :, 0], PICTURE[:, :, -1])


def test_outpainting_masks_the_gray_border() -> None:
    image, mask = image_pad_for_outpaint(image=PICTURE, left=8, bottom=16, feathering=0)
    assert image.shape == (2, 22, 17, 3)
    assert torch.equal(image[:, :6, 8:], PICTURE)
    assert (image[:, :, :8] == 0.5).all()
    expected = torch.ones(1, 22, 17)
    expected[:, :6, 8:] = 0
    assert torch.equal(mask, expected)


def test_the_mask_rises_with_the_square_towards_a_border_only() -> None:
    _, mask = image_pad_for_outpaint(image=torch.zeros(1, 12, 16, 3), right=8, feathering=4)
    row = mask[0, 5, :16]
    torch.testing.assert_close(row[-3:], torch.tensor([(4 - 3) / 4, (4 - 2) / 4, (4 - 1) / 4]) ** 2)
    assert not row[:-3].any()
    assert not mask[0, :, 0].any()


def test_a_picture_too_small_for_the_feathers_has_none() -> None:
    _, mask = image_pad_for_outpaint(image=torch.zeros(1, 8, 8, 3), right=8, feathering=4)
    assert not mask[0, :, :8].any()


@pytest.mark.parametrize(
    ("direction", "place"),
    [("right", (0, 9)), ("down", (6, 0)), ("left", (0, 0)), ("up", (0, 0))],
)
def test_the_second_picture_lies_where_it_is_put(direction: Any, place: tuple[int, int]) -> None:
    second = torch.zeros(1, 6, 9, 3)
    joined = image_stitch(PICTURE, direction, image2=second, match_image_size=False)
    assert joined.shape == ((2, 6, 18, 3) if direction in ("left", "right") else (2, 12, 9, 3))
    assert not joined[:, place[0] : place[0] + 6, place[1] : place[1] + 9].any()


def test_a_strip_of_color_lies_between_and_is_made_even() -> None:
    joined = image_stitch(torch.zeros(1, 4, 4, 4), "right", False, 3, "red", torch.zeros(1, 4, 4, 3))
    assert joined.shape == (1, 4, 12, 4)
    assert joined[0, 0, 4:8].tolist() == [[1, 0, 0, 1]] * 4
    assert joined[0, 0, 8:].tolist() == [[0, 0, 0, 1]] * 4


def test_sizes_are_matched_by_scaling_or_by_centering() -> None:
    second = torch.full((1, 2, 4, 3), 0.2)
    assert image_stitch(PICTURE, "right", True, image2=second).shape == (2, 6, 9 + 12, 3)
    centered = image_stitch(PICTURE, "right", False, spacing_color="white", image2=second)
    assert centered.shape == (2, 6, 13, 3)
    assert (centered[:, [0, 1, 4, 5], 9:] == 1).all()
    torch.testing.assert_close(centered[:, 2:4, 9:], torch.full((2, 2, 4, 3), 0.2))


def test_a_single_picture_is_stitched_to_nothing() -> None:
    assert image_stitch(PICTURE) is PICTURE
