"""Operations on latents."""

from typing import Any

import torch

from models.sampling.patches import Estimated
from models.types import Latent, LatentFormat, Model
from nodes.latent_operations import (
    latent_apply_operation,
    latent_apply_operation_cfg,
    latent_operation_sharpen,
    latent_operation_tonemap_reinhard,
)

LATENT = torch.randn(2, 4, 24, 24)


def test_tone_mapping_turns_no_direction_and_tames_what_is_strong() -> None:
    mapped = latent_apply_operation(Latent(LATENT), latent_operation_tonemap_reinhard()).samples
    before, after = LATENT.norm(dim=1), mapped.norm(dim=1)
    torch.testing.assert_close(mapped / after[:, None], LATENT / before[:, None])
    top = before.mean(dim=(1, 2), keepdim=True) + 5 * before.flatten(1).std(dim=1)[:, None, None]
    torch.testing.assert_close(after, before / (1 + before / top))


def test_sharpening_leaves_an_even_latent_as_it_is() -> None:
    even = torch.tensor([1.0, -2.0, 0.5, 3.0]).reshape(1, 4, 1, 1).expand(1, 4, 24, 24)
    torch.testing.assert_close(latent_operation_sharpen()(even), even, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(latent_operation_sharpen()(LATENT), LATENT)


def test_during_sampling_the_operation_changes_what_guidance_adds() -> None:
    nothing: Any = None
    model = Model(unet=nothing, latent_format=LatentFormat(4, 1.0, 8, ()))
    (change,) = latent_apply_operation_cfg(model, lambda latent: latent * 3).patches.guidance.before
    assert model.patches.guidance.before == ()
    away, round = torch.randn(2, 4, 24, 24), nothing
    torch.testing.assert_close(change(Estimated(LATENT, away), round).toward, away + 3 * (LATENT - away))
    torch.testing.assert_close(change(Estimated(LATENT, None), round).toward, 3 * LATENT)
