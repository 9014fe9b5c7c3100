"""Masks are read from pictures."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nodes.context import Context
from nodes.mask_files import load_image_mask


@pytest.mark.parametrize(("channel", "expected"), [("red", 51), ("green", 102), ("blue", 153), ("alpha", 255 - 204)])
def test_a_channel_is_a_mask_and_alpha_is_inverted(channel: Any, expected: int, context: Context) -> None:
    Image.new("RGBA", (6, 4), (51, 102, 153, 204)).save(context.paths.input / "x.png")
    mask = load_image_mask("x.png", channel, context)
    torch.testing.assert_close(mask, torch.full((1, 4, 6), expected / 255))


def test_a_picture_that_cannot_be_transparent_masks_nothing(context: Context) -> None:
    Image.new("RGB", (6, 4)).save(context.paths.input / "x.png")
    assert torch.equal(load_image_mask("x.png", "alpha", context), torch.zeros(1, 64, 64))


def test_gray_pictures_have_all_colors_in_16_bits_too(context: Context) -> None:
    Image.new("L", (6, 4), 51).save(context.paths.input / "x.png")
    Image.fromarray(np.full((4, 6), 13107, np.uint16)).save(context.paths.input / "deep.png")
    for name in ("x.png", "deep.png"):
        torch.testing.assert_close(load_image_mask(name, "blue", context), torch.full((1, 4, 6), 0.2))
