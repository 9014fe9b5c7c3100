"""The vectors of SDXL and its refiner."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.conditioning import Cond, Occasion, PictureSize
from models.layers import sinusoidal_embedding
from models.vectors import AestheticVector, SizesVector

OCCASION = Occasion(torch.zeros(1, 4, 16, 24), stride=8)
COND = Cond(torch.zeros(1, 77, 8), pooled=torch.arange(4.0)[None])


def numbers(vector: Tensor, count: int) -> Tensor:
    """The part behind the pooled text, one row for each number."""
    assert torch.equal(vector[0, :4], torch.arange(4.0))
    return vector[0, 4:].reshape(count, 256)


def embedded(*values: float) -> Tensor:
    return sinusoidal_embedding(torch.tensor(values), 256)


def test_sdxl_is_told_height_before_width() -> None:
    size = PictureSize(width=1, height=2, crop_w=3, crop_h=4, target_width=5, target_height=6)
    vector = SizesVector(4).vector(replace(COND, size=size), OCCASION)
    torch.testing.assert_close(numbers(vector, 6), embedded(2, 1, 4, 3, 6, 5))


def test_without_sizes_sdxl_is_told_those_of_the_picture() -> None:
    vector = SizesVector(4).vector(COND, OCCASION)
    torch.testing.assert_close(numbers(vector, 6), embedded(128, 192, 0, 0, 128, 192))


def test_the_refiner_takes_the_negative_for_ugly() -> None:
    rule = AestheticVector(4)
    positive = rule.vector(COND, OCCASION)
    negative = rule.vector(COND, replace(OCCASION, negative=True))
    stated = rule.vector(replace(COND, aesthetic=9.0), replace(OCCASION, negative=True))
    torch.testing.assert_close(numbers(positive, 5), embedded(128, 192, 0, 0, 6.0))
    torch.testing.assert_close(numbers(negative, 5), embedded(128, 192, 0, 0, 2.5))
    torch.testing.assert_close(numbers(stated, 5), embedded(128, 192, 0, 0, 9.0))


def test_a_prompt_without_pooled_text_gives_zeros() -> None:
    assert not SizesVector(4).vector(replace(COND, pooled=None), OCCASION)[0, :4].any()


def test_the_pooled_text_of_another_family_is_refused() -> None:
    with pytest.raises(ValueError, match="width 6, and the prompt's is 4 wide"):
        SizesVector(6).vector(COND, OCCASION)
