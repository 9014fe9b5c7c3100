"""Batches of latents keep track of whose noise is whose."""

import pytest
import torch

from models.types import Latent
from nodes.latent_batch import (
    batch_latents,
    latent_batch,
    latent_batch_seed_behavior,
    latent_from_batch,
    rebatch_latents,
    repeat_latent_batch,
)


def batch(count: int, first: int = 0, **fields: object) -> Latent:
    """Latents full of the numbers first, first + 1, …"""
    samples = torch.arange(float(first), first + count).reshape(count, 1, 1, 1).expand(count, 4, 2, 3)
    return Latent(samples, **fields)  # pyright: ignore[reportArgumentType]


def values(latent: Latent) -> list[int]:
    return latent.samples[:, 0, 0, 0].int().tolist()


@pytest.mark.parametrize(
    ("index", "length", "expected"), [(1, 2, [1, 2]), (-1, 1, [4]), (-2, 64, [3, 4]), (64, 1, [4]), (-64, 1, [0])]
)
def test_a_latent_taken_out_keeps_its_number(index: int, length: int, expected: list[int]) -> None:
    taken = latent_from_batch(batch(5), index, length)
    assert values(taken) == expected
    assert taken.batch_index == tuple(expected)


def test_numbers_and_masks_given_before_go_along() -> None:
    masks = torch.arange(2.0).reshape(2, 1, 1, 1).expand(2, 1, 8, 8)
    taken = latent_from_batch(batch(4, noise_mask=masks, batch_index=(7, 7, 9, 9)), 1, 2)
    assert taken.batch_index == (7, 9)
    assert taken.noise_mask is not None
    assert taken.noise_mask[:, 0, 0, 0].tolist() == [1, 0]
    one = torch.ones(1, 1, 8, 8)
    assert latent_from_batch(batch(4, noise_mask=one), 3, 1).noise_mask is one


def test_repeating_gives_every_turn_its_own_numbers() -> None:
    repeated = repeat_latent_batch(batch(2, batch_index=(3, 5)), 3)
    assert values(repeated) == [0, 1] * 3
    assert repeated.batch_index == (3, 5, 6, 8, 9, 11)
    assert repeat_latent_batch(batch(2), 2).batch_index is None


def test_joined_latents_keep_their_numbers_and_take_the_size_of_the_first() -> None:
    joined = latent_batch(batch(3), Latent(torch.ones(2, 4, 6, 6)))
    assert joined.samples.shape == (5, 4, 2, 3)
    assert joined.batch_index == (0, 1, 2, 0, 1)


def test_fixed_noise_is_that_of_the_first_and_random_forgets_it() -> None:
    fixed = latent_batch_seed_behavior(batch(3, batch_index=(4, 5, 6)), "fixed")
    assert fixed.batch_index == (4, 4, 4)
    assert latent_batch_seed_behavior(fixed, "random").batch_index is None


def test_a_list_is_cut_anew_and_numbered_on() -> None:
    first, second = rebatch_latents([batch(2), batch(2, 2)], [3])
    assert (values(first), values(second)) == ([0, 1, 2], [3])
    assert (first.batch_index, second.batch_index) == ((0, 1, 2), (3,))
    assert first.noise_mask is None


def test_another_size_begins_another_batch() -> None:
    other = Latent(torch.zeros(1, 4, 8, 8))
    assert [len(one.samples) for one in rebatch_latents([batch(2), other, batch(3)], [2])] == [2, 1, 2, 1]


def test_latents_without_a_mask_may_change_everywhere_beside_those_with() -> None:
    masked = batch(1, noise_mask=torch.zeros(1, 1, 4, 4))
    (joined,) = rebatch_latents([masked, batch(1)], [2])
    assert joined.noise_mask is not None
    assert joined.noise_mask.shape == (2, 1, 16, 24)
    assert joined.noise_mask.mean(dim=(1, 2, 3)).tolist() == [0, 1]


def test_any_number_of_latents_take_the_size_of_the_first_and_keep_their_noise() -> None:
    small = Latent(torch.full((1, 4, 1, 1), 9.0), batch_index=(7,))
    joined = batch_latents([batch(2), small, batch(1, 5)])
    assert joined.samples[:, 0, 0, 0].tolist() == [0.0, 1.0, 9.0, 5.0]
    assert joined.samples.shape == (4, 4, 2, 3)
    assert joined.batch_index == (0, 1, 7, 0)


def test_latents_without_a_mask_may_be_changed_everywhere_beside_those_with_one() -> None:
    joined = batch_latents([batch(2), batch(2, noise_mask=torch.zeros(1, 1, 16, 24))])
    assert joined.noise_mask is not None
    assert joined.noise_mask.amax(dim=(1, 2, 3)).tolist() == [1.0, 1.0, 0.0, 0.0]
