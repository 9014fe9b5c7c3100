"""Latents are turned, cut and joined."""

from typing import Any

import pytest
import torch

from models.types import Latent
from nodes.latent_transform import (
    latent_concat,
    latent_crop,
    latent_cut,
    latent_cut_to_batch,
    latent_flip,
    latent_rotate,
)

LATENT = Latent(torch.randn(2, 4, 12, 16), noise_mask=torch.ones(1, 1, 96, 128))


def test_turning_and_mirroring_go_as_with_pictures() -> None:
    turned = latent_rotate(LATENT, "90 degrees").samples
    assert torch.equal(turned[..., 0, -1], LATENT.samples[..., 0, 0])
    assert torch.equal(latent_flip(LATENT, "x-axis: vertically").samples, LATENT.samples.flip(2))
    assert torch.equal(latent_flip(LATENT, "y-axis: horizontally").samples, LATENT.samples.flip(3))
    assert latent_rotate(LATENT, "none").noise_mask is LATENT.noise_mask


@pytest.mark.parametrize(
    ("place", "expected"),
    [((64, 64, 16, 8), (slice(1, 9), slice(2, 10))), ((512, 512, 9999, 9999), (slice(4, 12), slice(8, 16)))],
)
def test_a_crop_keeps_eight_pixels_inside(place: tuple[int, ...], expected: tuple[slice, slice]) -> None:
    rows, columns = expected
    assert torch.equal(latent_crop(LATENT, *place).samples, LATENT.samples[:, :, rows, columns])


@pytest.mark.parametrize(("dim", "axis", "first"), [("x", 3, 0), ("-x", 3, 1), ("y", 2, 0), ("-y", 2, 1)])
def test_latents_are_joined_in_the_order_asked_for(dim: Any, axis: int, first: int) -> None:
    other = Latent(torch.zeros(1, 4, 12, 16))
    joined = latent_concat(LATENT, other, dim).samples
    parts = joined.chunk(2, dim=axis)
    assert torch.equal(parts[first], LATENT.samples)
    assert not parts[1 - first].any()


@pytest.mark.parametrize(
    ("index", "amount", "expected"), [(2, 3, slice(2, 5)), (-3, 9, slice(13, 16)), (99, 1, slice(15, 16))]
)
def test_columns_are_cut_out(index: int, amount: int, expected: slice) -> None:
    assert torch.equal(latent_cut(LATENT, "x", index, amount).samples, LATENT.samples[..., expected])


def test_slices_become_a_batch_without_the_rest() -> None:
    sliced = latent_cut_to_batch(LATENT, "x", 5).samples
    assert sliced.shape == (6, 4, 12, 5)
    assert torch.equal(sliced[1], LATENT.samples[0, :, :, 5:10])
    assert torch.equal(sliced[3], LATENT.samples[1, :, :, :5])


def test_pictures_have_no_axis_of_time() -> None:
    with pytest.raises(ValueError, match="dim is t"):
        latent_cut(LATENT, "t")
