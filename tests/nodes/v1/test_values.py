"""Values that go to foreign nodes and come back are what they were."""

from dataclasses import fields

import pytest
import torch

from models.conditioning import Area, Concat, Cond, FractionalArea, ImagePrompt, PictureSize
from models.types import Latent
from nodes.v1.conditioning import conditioning_to_foreign, conditioning_to_ours
from nodes.v1.values import to_foreign, to_ours

CONTEXT = torch.ones(1, 77, 8)
FULL = Cond(
    CONTEXT,
    torch.ones(1, 8),
    strength=0.5,
    area=Area(8, 16, 0, 4),
    mask=torch.ones(1, 8, 8),
    mask_strength=0.75,
    mask_bounds=True,
    start=0.1,
    end=0.9,
    size=PictureSize(64, 32, 1, 2, 128, 96),
    aesthetic=6.0,
    concat=Concat(torch.zeros(1, 4, 8, 8), torch.ones(1, 1, 8, 8)),
    images=(ImagePrompt(torch.ones(1, 8), 0.5, 0.25),),
    controls=(object(),),
    controls_shared=True,
    control_context=torch.zeros(1, 77, 8),
    extra={"guidance": 3.5},
)


def same(before, after) -> bool:
    """Whether two values hold the same, tensors by identity."""
    if isinstance(before, tuple) and before and hasattr(before[0], "embeds"):
        return all(same(a, b) for one, other in zip(before, after, strict=True) for a, b in parts(one, other))
    if hasattr(before, "__dataclass_fields__"):
        return all(same(a, b) for a, b in parts(before, after))
    return before is after or before == after


def parts(before, after):
    return [(getattr(before, one.name), getattr(after, one.name)) for one in fields(before)]


@pytest.mark.parametrize("cond", [FULL, Cond(CONTEXT), Cond(CONTEXT, area=FractionalArea(0.5, 1.0, 0.0, 0.25))])
def test_conditioning_survives_the_way_there_and_back(cond):
    (after,) = conditioning_to_ours(conditioning_to_foreign((cond,)))
    for one in fields(cond):
        assert same(getattr(cond, one.name), getattr(after, one.name)), one.name


def test_conditioning_is_written_in_comfyuis_words():
    noted = conditioning_to_foreign((FULL,))[0][1]
    assert noted["area"] == (8, 16, 0, 4)
    assert (noted["width"], noted["target_height"], noted["start_percent"]) == (64, 96, 0.1)
    assert noted["guidance"] == 3.5
    assert "strength" not in conditioning_to_foreign((Cond(CONTEXT),))[0][1]
    fractional = conditioning_to_foreign((Cond(CONTEXT, area=FractionalArea(0.5, 1.0, 0.0, 0.25)),))
    assert fractional[0][1]["area"] == ("percentage", 0.5, 1.0, 0.0, 0.25)


def test_a_node_that_changes_what_it_is_given_changes_nothing_of_ours():
    latent = Latent(torch.zeros(1, 4, 2, 2), batch_index=(3,))
    found = to_foreign(latent)
    found["batch_index"].append(4)
    found["samples"] = None
    assert to_ours(to_foreign(latent)) == latent
    conditioning = (FULL,)
    to_foreign(conditioning)[0][1].clear()
    assert to_ours(to_foreign(conditioning))[0].strength == 0.5


@pytest.mark.parametrize("shape", [(2, 2), (1, 2, 2), (1, 1, 2, 2)])
def test_noise_masks_of_any_form_are_taken(shape):
    latent = to_ours({"samples": torch.zeros(1, 4, 2, 2), "noise_mask": torch.ones(shape)})
    assert latent.noise_mask.shape == (1, 1, 2, 2)


def test_other_values_pass_as_they_are():
    for value in ("text", 1.5, [1, 2], {"a": 1}, (1, "b"), torch.zeros(1)):
        assert to_foreign(value) is value
        assert to_ours(value) is value
