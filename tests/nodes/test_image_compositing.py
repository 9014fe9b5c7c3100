"""Pictures over pictures, and their transparency."""

import torch

from nodes.image_compositing import (
    image_composite_masked,
    join_image_with_alpha,
    porter_duff_image_composite,
    split_image_with_alpha,
)

PICTURE = torch.rand(2, 6, 8, 3)


def test_a_picture_is_laid_over_another_without_a_mask() -> None:
    result = image_composite_masked(PICTURE, torch.zeros(1, 2, 3, 3), 5, 4)
    assert not result[:, 4:6, 5:8].any()
    assert torch.equal(result[:, :4], PICTURE[:, :4])


def test_a_mask_keeps_what_is_black() -> None:
    mask = torch.zeros(1, 6, 8)
    mask[:, :, :4] = 1
    result = image_composite_masked(PICTURE, torch.zeros(1, 6, 8, 3), mask=mask)
    assert not result[:, :, :4].any()
    torch.testing.assert_close(result[:, :, 4:], PICTURE[:, :, 4:])


def test_channels_are_those_of_the_destination() -> None:
    with_alpha = torch.zeros(1, 6, 8, 4)
    assert image_composite_masked(PICTURE, with_alpha).shape[-1] == 3
    assert image_composite_masked(with_alpha, PICTURE[:1])[..., 3].min() == 1


def test_a_picture_is_split_into_color_and_transparency_and_joined_again() -> None:
    mask = torch.rand(2, 6, 8)
    joined = join_image_with_alpha(PICTURE, mask)
    image, transparency = split_image_with_alpha(joined)
    assert torch.equal(image, PICTURE)
    torch.testing.assert_close(transparency, mask)
    assert not split_image_with_alpha(PICTURE).mask.any()


def test_one_mask_serves_a_whole_batch_and_takes_its_size() -> None:
    joined = join_image_with_alpha(PICTURE, torch.full((1, 3, 4), 0.25))
    assert joined.shape == (2, 6, 8, 4)
    torch.testing.assert_close(joined[..., 3], torch.full((2, 6, 8), 0.75))


def test_masks_of_transparency_go_in_and_out_of_porter_and_duff() -> None:
    opaque, clear = torch.zeros(2, 6, 8), torch.ones(2, 6, 8)
    other = torch.rand(2, 3, 4, 3)
    image, mask = porter_duff_image_composite(PICTURE, opaque, other, clear[:, :3, :4], "SRC_OVER")
    torch.testing.assert_close(image, PICTURE)
    assert not mask.any()
    image, mask = porter_duff_image_composite(PICTURE, clear, other, clear[:, :3, :4], "SRC_OVER")
    assert not image.any()
    assert mask.min() == 1
