"""Batches of pictures are joined and taken apart."""

import pytest
import torch

from nodes.image_batch import batch_images, image_batch, image_from_batch, rebatch_images, repeat_image_batch

PICTURES = torch.arange(5.0).reshape(5, 1, 1, 1).expand(5, 4, 6, 3) / 10


def numbers(images: torch.Tensor) -> list[int]:
    return [round(float(image[0, 0, 0]) * 10) for image in images]


def test_the_second_pictures_take_the_size_of_the_first() -> None:
    joined = image_batch(PICTURES, torch.full((2, 8, 8, 3), 0.9))
    assert joined.shape == (7, 4, 6, 3)
    assert numbers(joined) == [0, 1, 2, 3, 4, 9, 9]


def test_a_picture_without_alpha_becomes_opaque_beside_one_with() -> None:
    joined = image_batch(PICTURES[:1], torch.zeros(1, 4, 6, 4))
    assert joined[:, 0, 0].tolist() == [[0, 0, 0, 1], [0, 0, 0, 0]]


def test_a_batch_is_repeated_as_a_whole() -> None:
    assert numbers(repeat_image_batch(PICTURES[:2], 3)) == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("index", "length", "expected"),
    [(1, 2, [1, 2]), (-2, 1, [3]), (3, 9, [3, 4]), (99, 1, [4]), (-99, 1, [0])],
)
def test_pictures_are_taken_from_where_they_are(index: int, length: int, expected: list[int]) -> None:
    assert numbers(image_from_batch(PICTURES, index, length)) == expected


def test_a_list_is_cut_into_batches_of_one_size() -> None:
    batches = rebatch_images([PICTURES[:3], PICTURES[3:]], [2])
    assert [numbers(batch) for batch in batches] == [[0, 1], [2, 3], [4]]


def test_pictures_of_different_sizes_share_no_batch() -> None:
    with pytest.raises(ValueError, match="6 × 4, 8 × 8"):
        rebatch_images([PICTURES, torch.zeros(1, 8, 8, 3)], [2])


def test_any_number_of_pictures_take_the_size_of_the_first() -> None:
    joined = batch_images([PICTURES, torch.full((1, 8, 8, 3), 0.9), torch.full((1, 2, 3, 3), 0.8)])
    assert joined.shape == (7, 4, 6, 3)
    assert numbers(joined) == [0, 1, 2, 3, 4, 9, 8]
