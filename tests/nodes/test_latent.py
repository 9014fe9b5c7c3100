"""Latents of the right size."""

import pytest
import torch

from models.types import Latent
from nodes.latent import empty_latent_image, latent_upscale, latent_upscale_by


def test_an_empty_latent_has_an_eighth_of_the_pictures_sides() -> None:
    assert empty_latent_image(640, 384, 3).samples.shape == (3, 4, 48, 80)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(0, 0, (8, 16)), (256, 0, (16, 32)), (0, 256, (32, 64)), (8, 128, (16, 8)), (192, 192, (24, 24))],
)
def test_a_side_of_zero_follows_from_the_other(width: int, height: int, expected: tuple[int, int]) -> None:
    latent = Latent(torch.randn(1, 4, 8, 16))
    resized = latent_upscale(
        samples=latent, upscale_method="nearest-exact", width=width, height=height, crop="disabled"
    )
    assert resized.samples.shape[-2:] == expected


def test_a_centered_crop_keeps_the_middle() -> None:
    ramp = torch.arange(16.0).repeat(1, 4, 8, 1)
    resized = latent_upscale(samples=Latent(ramp), upscale_method="nearest-exact", width=64, height=64, crop="center")
    assert resized.samples[0, 0, 0].tolist() == list(range(4, 12))


@pytest.mark.parametrize("method", ["nearest-exact", "bilinear", "area", "bicubic", "bislerp"])
def test_every_method_leaves_a_constant_latent_constant(method) -> None:
    resized = latent_upscale(
        samples=Latent(torch.full((1, 4, 8, 8), 0.7)), upscale_method=method, width=96, height=64, crop="disabled"
    )
    torch.testing.assert_close(resized.samples, torch.full((1, 4, 8, 12), 0.7))


def test_bislerp_keeps_the_length_of_vectors_of_equal_length() -> None:
    directions = torch.nn.functional.normalize(torch.randn(1, 4, 8, 8), dim=1)
    resized = latent_upscale(
        samples=Latent(directions), upscale_method="bislerp", width=128, height=128, crop="disabled"
    )
    torch.testing.assert_close(resized.samples.norm(dim=1), torch.ones(1, 16, 16), atol=1e-4, rtol=0)


def test_a_factor_multiplies_the_latents_own_sides() -> None:
    latent = Latent(torch.randn(1, 4, 5, 7), noise_mask=torch.ones(1, 1, 40, 56))
    resized = latent_upscale_by(latent, "nearest-exact", 1.5)
    assert resized.samples.shape == (1, 4, 8, 10)
    assert resized.noise_mask is latent.noise_mask
