"""Laws of the previews."""

import io

import pytest
import torch
from PIL import Image

from models.preview import latent_to_image, to_jpeg
from models.types import LatentFormat

FORMAT = LatentFormat(2, 1.0, 8, rgb_factors=((1.0, 0.0, -1.0), (0.0, 0.5, 0.0)), rgb_bias=(0.0, 0.5, 0.0))


def test_a_color_is_the_weighted_sum_of_the_channels():
    latent = torch.tensor([1.0, -1.0]).reshape(1, 2, 1, 1).expand(3, 2, 8, 8)
    assert latent_to_image(latent, FORMAT).getpixel((0, 0)) == (255, 127, 0)


def test_colors_out_of_range_are_clamped_and_what_is_no_number_counts_as_zero():
    latent = torch.tensor([9.0, float("nan")]).reshape(1, 2, 1, 1).expand(1, 2, 8, 8)
    assert latent_to_image(latent, FORMAT).getpixel((0, 0)) == (255, 191, 0)


@pytest.mark.parametrize(("size", "expected"), [((8, 8), (512, 512)), ((8, 16), (512, 256)), ((128, 64), (256, 512))])
def test_previews_are_at_most_512_pixels_a_side_and_keep_their_shape(size, expected):
    assert latent_to_image(torch.zeros(1, 2, *size), FORMAT).size == expected


def test_the_bytes_are_a_jpeg():
    image = latent_to_image(torch.zeros(1, 2, 8, 8), FORMAT)
    assert Image.open(io.BytesIO(to_jpeg(image))).format == "JPEG"
