"""Conditioning that passes a foreign node comes back as it was."""

import torch

from models.conditioning import Area, Concat, Cond, Control, ControlCall, ImagePrompt, PictureSize
from models.unet_patches import Residuals, UNetPatches
from nodes.v1.conditioning import conditioning_to_foreign, conditioning_to_ours


class Steering:
    """A control and boxes that do nothing."""

    unet = UNetPatches()

    def residuals(self, call: ControlCall) -> Residuals | None:
        return None


def test_all_that_a_prompt_holds_survives_the_way_there_and_back() -> None:
    control: Control = Steering()
    cond = Cond(
        torch.randn(1, 3, 8),
        pooled=torch.randn(1, 8),
        strength=0.5,
        area=Area(8, 16, 4, 2),
        start=0.1,
        end=0.9,
        size=PictureSize(640, 480, 1, 2),
        aesthetic=4.0,
        concat=Concat(torch.zeros(1, 4, 8, 8)),
        images=(ImagePrompt(torch.randn(1, 8), 0.7, 0.2),),
        controls=(control,),
        controls_shared=True,
        boxes=Steering(),
        extra={"noted": 7},
    )
    [back] = conditioning_to_ours(conditioning_to_foreign((cond,)))
    for field in ("context", "pooled", "strength", "area", "start", "end", "size", "aesthetic", "boxes", "extra"):
        mine, found = getattr(cond, field), getattr(back, field)
        assert found is mine or found == mine, field
    assert back.concat is not None
    assert back.concat.latent is cond.concat.latent  # pyright: ignore[reportOptionalMemberAccess]
    assert [(one.strength, one.noise_augmentation) for one in back.images] == [(0.7, 0.2)]
    assert back.images[0].embeds is cond.images[0].embeds
    assert (back.controls, back.controls_shared) == ((control,), True)


def test_what_foreign_nodes_put_in_place_of_controls_and_boxes_is_kept_as_a_note() -> None:
    [[_, found]] = conditioning_to_foreign((Cond(torch.zeros(1, 3, 8)),))
    found |= {"control": "theirs", "gligen": ("position", None, [])}
    [back] = conditioning_to_ours([[torch.zeros(1, 3, 8), found]])
    assert (back.controls, back.boxes) == ((), None)
    assert back.extra == {"control": "theirs", "gligen": ("position", None, [])}
