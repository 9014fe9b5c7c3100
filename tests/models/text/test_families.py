"""How each family listens to its text encoders: which layer, normalized or not, and what fills up a row."""

from dataclasses import replace

import pytest
import torch

from models.loading.families import SD1, SD2, SDXL, SDXL_REFINER
from models.loading.family import Family
from models.text.clip import Encoded
from models.text.encode import encode_prompt, row
from models.text.encoders import Role
from models.text.tokenizer import END_TOKEN
from models.types import Clip
from tests.models.tiny_families import text_encoders

A_CAT = [320, 2368]


def said(clip: Clip, role: Role, padding: int, layer: int, final_norm: bool) -> Encoded:
    """What an encoder itself says of "a cat"."""
    with clip.encoder.on_device() as encoders:
        return encoders.of(role)(torch.tensor([row(A_CAT, padding)]), layer, final_norm)


@pytest.mark.parametrize(
    ("family", "role", "padding", "layer", "final_norm"),
    [
        (SD1, "clip_l", END_TOKEN, -1, True),
        (SD2, "clip_h", 0, -2, True),
        (SDXL_REFINER, "clip_g", 0, -2, False),
    ],
    ids=["SD 1.x", "SD 2.x", "refiner"],
)
def test_a_family_of_one_encoder_takes_its_features_as_they_are(
    family: Family, role: Role, padding: int, layer: int, final_norm: bool
) -> None:
    clip = text_encoders(family)
    [cond] = encode_prompt(clip, "a cat")
    expected = said(clip, role, padding, layer, final_norm)
    assert cond.pooled is not None
    torch.testing.assert_close(cond.context, expected.hidden)
    torch.testing.assert_close(cond.pooled, expected.pooled)


@pytest.fixture(scope="module")
def sdxl() -> Clip:
    return text_encoders(SDXL)


def test_sdxl_joins_the_features_of_both_and_pools_those_of_the_second(sdxl: Clip) -> None:
    [cond] = encode_prompt(sdxl, "a cat")
    first = said(sdxl, "clip_l", END_TOKEN, -2, final_norm=False)
    second = said(sdxl, "clip_g", 0, -2, final_norm=False)
    assert cond.pooled is not None
    torch.testing.assert_close(cond.context, torch.cat([first.hidden, second.hidden], dim=-1))
    torch.testing.assert_close(cond.pooled, second.pooled)


def test_weights_are_applied_in_each_encoder(sdxl: Clip) -> None:
    [weighted] = encode_prompt(sdxl, "a (cat:1.5)")
    [plain] = encode_prompt(sdxl, "a cat")
    [empty] = encode_prompt(sdxl, "")
    expected = plain.context.clone()
    expected[:, 2] = (plain.context[:, 2] - empty.context[:, 2]) * 1.5 + empty.context[:, 2]
    torch.testing.assert_close(weighted.context, expected)


def test_a_layer_beyond_the_first_means_the_last_after_the_final_norm(sdxl: Clip) -> None:
    [cond] = encode_prompt(replace(sdxl, layer=-24), "a cat")
    torch.testing.assert_close(cond.context[..., :64], said(sdxl, "clip_l", END_TOKEN, -1, final_norm=True).hidden)


def test_the_last_layer_if_asked_for_is_not_normalized(sdxl: Clip) -> None:
    [cond] = encode_prompt(replace(sdxl, layer=-1), "a cat")
    torch.testing.assert_close(cond.context[..., :64], said(sdxl, "clip_l", END_TOKEN, -1, final_norm=False).hidden)


def test_changes_to_the_weights_are_heard(sdxl: Clip) -> None:
    class Silenced:
        names = ("clip_g.text_projection.weight",)

        def patched(self, name: str, weight: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(weight)

    [changed] = encode_prompt(replace(sdxl, weights=(Silenced(),)), "a cat")
    [usual] = encode_prompt(sdxl, "a cat")
    assert changed.pooled is not None
    assert usual.pooled is not None
    assert not changed.pooled.any()
    assert usual.pooled.any()
    assert torch.equal(changed.context, usual.context)
