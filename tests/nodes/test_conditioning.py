"""The nodes that change conditioning."""

from dataclasses import replace

import pytest
import torch

from models.conditioning import Area, Cond, Conditioning, FractionalArea
from nodes.conditioning import (
    EmptyConditioningError,
    conditioning_average,
    conditioning_combine,
    conditioning_concat,
    conditioning_multiply,
    conditioning_set_area,
    conditioning_set_area_percentage,
    conditioning_set_area_strength,
    conditioning_set_mask,
    conditioning_set_timestep_range,
    conditioning_zero_out,
)

LONG = Cond(torch.full((1, 4, 3), 2.0), pooled=torch.full((1, 2), 2.0), start=0.5)
SHORT = Cond(torch.full((1, 2, 3), 6.0), pooled=torch.full((1, 2), 6.0))


def only(conditioning: Conditioning) -> Cond:
    [cond] = conditioning
    return cond


def test_combined_prompts_stand_side_by_side() -> None:
    assert conditioning_combine((LONG,), (SHORT, LONG)) == (LONG, SHORT, LONG)


def test_the_tokens_of_the_first_entry_are_appended_to_every_other() -> None:
    first, second = conditioning_concat((LONG, SHORT), (SHORT, LONG))
    assert (first.context.shape[1], second.context.shape[1]) == (6, 4)
    assert torch.equal(first.context[:, 4:], SHORT.context)
    assert first.start == LONG.start


def test_an_average_fills_the_shorter_with_zeros_and_keeps_where_the_first_is_heard() -> None:
    cond = only(conditioning_average((LONG,), (SHORT,), 0.75))
    assert cond.context[0, :, 0].tolist() == [3.0, 3.0, 1.5, 1.5]
    assert cond.pooled is not None
    assert cond.pooled[0].tolist() == [3.0, 3.0]
    assert cond.start == LONG.start


def test_an_average_cuts_the_longer() -> None:
    assert only(conditioning_average((SHORT,), (LONG,), 0.5)).context[0, :, 0].tolist() == [4.0, 4.0]


def test_an_average_takes_the_pooled_output_that_there_is() -> None:
    pooled = only(conditioning_average((replace(LONG, pooled=None),), (SHORT,), 0.5)).pooled
    assert pooled is not None
    assert torch.equal(pooled, torch.full((1, 2), 6.0))
    assert only(conditioning_average((SHORT,), (replace(LONG, pooled=None),), 0.5)).pooled is SHORT.pooled


@pytest.mark.parametrize("mix", [conditioning_average, conditioning_concat])
def test_prompts_of_different_families_cannot_be_mixed(mix: type) -> None:
    with pytest.raises(ValueError, match="widths 3 and 5"):
        mix((LONG,), (Cond(torch.zeros(1, 4, 5)),))
    with pytest.raises(EmptyConditioningError, match="conditioning_from"):
        mix((LONG,), ())


def test_nothing_is_left_of_a_prompt_that_is_zeroed_out() -> None:
    cond = only(conditioning_zero_out((LONG,)))
    assert cond.pooled is not None
    assert not cond.context.any()
    assert not cond.pooled.any()
    assert cond.context.shape == LONG.context.shape


def test_a_prompt_is_multiplied_with_its_pooled_output() -> None:
    cond = only(conditioning_multiply((LONG,), -1.5))
    assert cond.pooled is not None
    assert float(cond.context[0, 0, 0]) == float(cond.pooled[0, 0]) == -3.0


def test_an_area_in_pixels_is_counted_in_those_of_the_latent() -> None:
    cond = only(conditioning_set_area((LONG,), width=64, height=72, x=16, y=8, strength=2.0))
    assert (cond.area, cond.strength) == (Area(height=9, width=8, y=1, x=2), 2.0)


def test_an_area_in_shares_stays_in_shares() -> None:
    cond = only(conditioning_set_area_percentage((LONG,), width=0.5, height=0.25, x=0.1, y=0.2, strength=0.5))
    assert (cond.area, cond.strength) == (FractionalArea(0.25, 0.5, 0.2, 0.1), 0.5)


def test_the_strength_alone_leaves_the_area() -> None:
    there = only(conditioning_set_area((LONG,), width=64, height=64))
    cond = only(conditioning_set_area_strength((there,), 3.0))
    assert (cond.area, cond.strength) == (there.area, 3.0)


def test_a_mask_of_one_picture_is_a_batch_of_one() -> None:
    mask = torch.ones(8, 8)
    cond = only(conditioning_set_mask(conditioning=(LONG,), mask=mask, strength=0.5, set_cond_area="mask bounds"))
    assert cond.mask is not None
    assert cond.mask.shape == (1, 8, 8)
    assert (cond.mask_strength, cond.mask_bounds) == (0.5, True)
    assert not only(conditioning_set_mask(conditioning=(LONG,), mask=mask, set_cond_area="default")).mask_bounds


def test_a_prompt_is_heard_for_a_part_of_the_way() -> None:
    cond = only(conditioning_set_timestep_range((SHORT,), 0.25, 0.75))
    assert (cond.start, cond.end) == (0.25, 0.75)


def test_an_area_set_after_a_mask_counts_in_place_of_the_masks_box() -> None:
    masked = (replace(LONG, mask=torch.ones(1, 8, 8), mask_bounds=True),)
    assert not conditioning_set_area(masked)[0].mask_bounds
    assert not conditioning_set_area_percentage(masked)[0].mask_bounds
