"""Latents are combined."""

import pytest
import torch

from models.types import Latent
from nodes.latent_composite import (
    latent_add,
    latent_blend,
    latent_composite,
    latent_composite_masked,
    latent_interpolate,
    latent_multiply,
    latent_subtract,
)

ZEROS = Latent(torch.zeros(2, 4, 8, 8), noise_mask=torch.ones(1, 1, 64, 64))
ONES = Latent(torch.ones(1, 4, 4, 4))
A, B = Latent(torch.randn(2, 4, 8, 8)), Latent(torch.randn(2, 4, 8, 8))


def test_places_are_given_in_pixels_of_the_picture() -> None:
    result = latent_composite(ZEROS, ONES, 32, 16)
    assert result.samples[:, :, 2:6, 4:8].min() == 1
    assert result.samples.sum() == 2 * 4 * 16
    assert result.noise_mask is ZEROS.noise_mask


def test_feathers_rise_only_at_sides_within_the_latent_below() -> None:
    row = latent_composite(ZEROS, ONES, 32, 0, 16).samples[0, 0, 0]
    torch.testing.assert_close(row[4:], torch.tensor([0.5, 1.0, 1.0, 1.0]))
    column = latent_composite(ZEROS, ONES, 32, 0, 16).samples[0, 0, :, 7]
    torch.testing.assert_close(column[:4], torch.tensor([1.0, 1.0, 1.0, 0.5]))


def test_a_place_outside_changes_nothing() -> None:
    assert not latent_composite(ZEROS, ONES, 64, 0, 8).samples.any()
    assert not latent_composite_masked(ZEROS, ONES, 0, 640).samples.any()


def test_a_mask_says_where_the_upper_latent_shows() -> None:
    mask = torch.zeros(1, 32, 32)
    mask[:, :16] = 1
    shown = latent_composite_masked(ZEROS, ONES, mask=mask).samples
    assert shown[:, :, :1, :4].min() == 1
    assert shown[:, :, 3:].sum() == 0
    torch.testing.assert_close(latent_composite_masked(ZEROS, ONES, resize_source=True).samples, torch.ones(2, 4, 8, 8))


def test_sums_and_differences_undo_each_other() -> None:
    torch.testing.assert_close(latent_subtract(latent_add(A, B), B).samples, A.samples)
    torch.testing.assert_close(latent_multiply(A, -2.0).samples, A.samples * -2)


def test_the_second_latent_takes_size_and_number_of_the_first() -> None:
    torch.testing.assert_close(latent_add(ZEROS, ONES).samples, torch.ones(2, 4, 8, 8))
    torch.testing.assert_close(latent_blend(ZEROS, ONES, 0.25).samples, torch.full((2, 4, 8, 8), 0.75))


@pytest.mark.parametrize("mix", [latent_blend, latent_interpolate])
def test_the_share_is_that_of_the_first(mix) -> None:
    torch.testing.assert_close(mix(A, B, 1.0).samples, A.samples)
    torch.testing.assert_close(mix(A, B, 0.0).samples, B.samples)


def test_interpolation_keeps_the_length_where_both_have_it() -> None:
    unit = [Latent(torch.nn.functional.normalize(one.samples, dim=1)) for one in (A, B)]
    mixed = latent_interpolate(*unit, 0.5).samples
    torch.testing.assert_close(mixed.norm(dim=1), torch.ones(2, 8, 8))
    zeros = Latent(torch.zeros(2, 4, 8, 8))
    assert not latent_interpolate(zeros, zeros, 0.5).samples.any()
