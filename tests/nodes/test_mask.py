"""Masks are made, changed and combined."""

import pytest
import torch

from nodes.mask import (
    batch_masks,
    crop_mask,
    feather_mask,
    grow_mask,
    image_color_to_mask,
    image_to_mask,
    invert_mask,
    mask_composite,
    mask_to_image,
    solid_mask,
    threshold_mask,
)


def point(size: int = 7) -> torch.Tensor:
    mask = torch.zeros(1, size, size)
    mask[0, size // 2, size // 2] = 1
    return mask


def test_a_mask_becomes_a_gray_picture_and_back() -> None:
    mask = torch.rand(2, 4, 6)
    image = mask_to_image(mask)
    assert image.shape == (2, 4, 6, 3)
    for channel in ("red", "green", "blue"):
        assert torch.equal(image_to_mask(image, channel), mask)


def test_a_picture_without_alpha_gives_no_alpha_mask() -> None:
    assert torch.equal(image_to_mask(torch.full((1, 2, 2, 4), 0.25), "alpha"), torch.full((1, 2, 2), 0.25))
    with pytest.raises(ValueError, match="no alpha channel"):
        image_to_mask(torch.zeros(1, 2, 2, 3), "alpha")


def test_only_the_very_color_is_marked() -> None:
    image = torch.tensor([[[0x12, 0x34, 0x56], [0x12, 0x34, 0x57], [0, 0, 0]]]).reshape(1, 1, 3, 3) / 255
    assert image_color_to_mask(image, 0x123456).flatten().tolist() == [1, 0, 0]
    assert image_color_to_mask(image).flatten().tolist() == [0, 0, 1]


def test_a_solid_mask_is_inverted_to_its_complement() -> None:
    assert torch.equal(invert_mask(solid_mask(0.25, 3, 2)), torch.full((1, 2, 3), 0.75))


def test_a_crop_is_cut_off_at_the_border_and_refused_beyond() -> None:
    mask = torch.arange(12.0).reshape(1, 3, 4)
    assert crop_mask(mask, 2, 1, 8, 8).tolist() == [[[6, 7], [10, 11]]]
    with pytest.raises(ValueError, match="outside the mask, which is 4 × 3"):
        crop_mask(mask, 4, 0, 1, 1)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("multiply", [0.0, 0.2, 0.8]),
        ("add", [0.4, 1.0, 1.0]),
        ("subtract", [0.0, 0.0, 0.0]),
        ("and", [0.0, 0.0, 1.0]),
        ("or", [0.0, 1.0, 1.0]),
        ("xor", [0.0, 1.0, 0.0]),
    ],
)
def test_masks_are_combined_pixel_by_pixel(operation, expected: list[float]) -> None:
    destination, source = torch.tensor([[[0.0, 0.2, 0.8]]]), torch.tensor([[[0.4, 1.0, 1.0]]])
    combined = mask_composite(destination=destination, source=source, operation=operation)
    torch.testing.assert_close(combined, torch.tensor([[expected]]))


def test_a_mask_laid_over_another_is_cut_off_at_its_border_and_changes_nothing_else() -> None:
    destination = torch.zeros(1, 3, 4)
    combined = mask_composite(destination=destination, source=torch.ones(1, 2, 2), x=3, y=2, operation="add")
    assert combined.sum() == combined[0, 2, 3] == 1
    assert destination.sum() == 0


def test_feathers_rise_from_the_sides() -> None:
    feathered = feather_mask(torch.ones(1, 1, 6), left=2, right=3)
    torch.testing.assert_close(feathered, torch.tensor([[[1 / 2, 1, 1, 1, 2 / 3, 1 / 3]]]))
    assert torch.equal(feather_mask(torch.ones(1, 4, 4)), torch.ones(1, 4, 4))


def test_tapered_corners_make_a_diamond_and_others_a_square() -> None:
    assert grow_mask(point(), 2, True).sum() == 13
    assert grow_mask(point(), 2, False).sum() == 25
    assert torch.equal(grow_mask(point(), 0), point())


@pytest.mark.parametrize("tapered", [True, False])
def test_shrinking_undoes_growing_of_a_point(tapered: bool) -> None:
    assert torch.equal(grow_mask(grow_mask(point(), 2, tapered), -2, tapered), point())


def test_growing_without_end_ends_when_all_is_masked() -> None:
    assert torch.equal(grow_mask(point(), 16384), torch.ones(1, 7, 7))


def test_the_threshold_itself_is_below() -> None:
    assert threshold_mask(torch.tensor([[[0.4, 0.5, 0.6]]]), 0.5).tolist() == [[[0, 0, 1]]]


def test_any_number_of_masks_take_the_size_of_the_first() -> None:
    joined = batch_masks([torch.zeros(2, 4, 6), torch.ones(8, 8), torch.ones(1, 1, 4, 6)])
    assert joined.shape == (4, 4, 6)
    assert joined.mean(dim=(1, 2)).tolist() == [0.0, 0.0, 1.0, 1.0]
