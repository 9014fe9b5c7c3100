"""A picture or a mask takes the size that is said in one of nine ways."""

from typing import Any

import pytest
import torch

from nodes import image_resize as ways
from nodes.image_resize import resize_image_mask

PICTURE = torch.rand(2, 40, 60, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("way", "width", "height"),
    [
        (ways.ToDimensions(30, 30), 30, 30),
        (ways.ToDimensions(30, 0), 30, 20),
        (ways.ToDimensions(0, 20), 30, 20),
        (ways.ToDimensions(0, 0), 60, 40),
        (ways.ByMultiplier(1.5), 90, 60),
        (ways.ToLonger(30), 30, 20),
        (ways.ToShorter(20), 30, 20),
        (ways.ToWidth(120), 120, 80),
        (ways.ToHeight(10), 15, 10),
        (ways.ToTotalPixels(0.01), 125, 84),
        (ways.ToMatch(torch.zeros(1, 7, 9)), 9, 7),
        (ways.ToMatch(torch.zeros(1, 7, 9, 3)), 9, 7),
        (ways.ToMultiple(16), 48, 32),
        (ways.ToMultiple(64), 64, 64),
    ],
)
def test_each_way_leads_to_its_size(way: Any, width: int, height: int) -> None:
    assert resize_image_mask(PICTURE, way, "bilinear").shape == (2, height, width, 3)
    assert resize_image_mask(PICTURE[..., 0], way, "bilinear").shape == (2, height, width)


def test_what_does_not_fit_is_cut_off_evenly_if_that_is_chosen() -> None:
    striped = torch.zeros(1, 4, 8, 3)
    striped[:, :, 2:6] = 1.0
    assert resize_image_mask(striped, ways.ToDimensions(4, 4, "center"), "area").min() == 1.0
    assert resize_image_mask(striped, ways.ToDimensions(4, 4, "disabled"), "area").min() == 0.0
