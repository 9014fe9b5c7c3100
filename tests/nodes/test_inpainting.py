"""What is masked is painted anew, and only that."""

from typing import Any

import pytest
import torch

from models.conditioning import Cond
from models.patches.differential import DifferentialDiffusion
from models.types import LatentFormat, Model
from nodes.context import Context
from nodes.inpainting import (
    differential_diffusion,
    inpaint_model_conditioning,
    instruct_pix_to_pix_conditioning,
    set_latent_noise_mask,
    vae_encode_for_inpaint,
)
from nodes.vae import vae_decode, vae_decode_tiled, vae_encode, vae_encode_tiled
from tests.nodes.fake_vae import mean_colors

VAE = mean_colors()
WHITE = torch.ones(1, 24, 32, 3)
CONDITIONING = (Cond(torch.zeros(1, 77, 8)),)


def box(height: int = 24, width: int = 32) -> torch.Tensor:
    """A mask whose left half is 1."""
    mask = torch.zeros(1, height, width)
    mask[:, :, : width // 2] = 1
    return mask


def test_the_masked_part_is_gray_to_the_encoder() -> None:
    latent = vae_encode_for_inpaint(WHITE, VAE, box(), 0)
    assert latent.samples[0, 0, 0].tolist() == [0, 0, 1, 1]
    assert latent.noise_mask is not None
    assert torch.equal(latent.noise_mask[:, 0], box())


@pytest.mark.parametrize(("pixels", "reach"), [(0, 0), (1, 0), (5, 2), (6, 3)])
def test_the_mask_grows_by_half_a_box_but_the_gray_does_not(pixels: int, reach: int) -> None:
    latent = vae_encode_for_inpaint(WHITE, VAE, box(), pixels)
    assert latent.noise_mask is not None
    assert latent.noise_mask[0, 0, 0].sum() == 16 + reach
    assert latent.samples[0, 0, 0].tolist() == [0, 0, 1, 1]


def test_a_mask_of_another_size_is_brought_to_the_pictures_and_made_hard() -> None:
    latent = vae_encode_for_inpaint(WHITE, VAE, box(6, 8) * 0.6, 0)
    assert latent.noise_mask is not None
    assert latent.noise_mask.shape == (1, 1, 24, 32)
    assert latent.noise_mask.unique().tolist() == [0, 1]


def test_picture_and_mask_are_cropped_together() -> None:
    picture = torch.ones(1, 29, 34, 3)
    latent = vae_encode_for_inpaint(picture, VAE, box(29, 34), 0)
    assert latent.samples.shape == (1, 4, 3, 4)
    assert latent.noise_mask is not None
    assert latent.noise_mask.shape == (1, 1, 24, 32)
    with pytest.raises(ValueError, match="4 × 4 pixels"):
        vae_encode_for_inpaint(torch.ones(1, 4, 4, 3), VAE, box(4, 4))


def test_a_noise_mask_is_kept_as_it_is() -> None:
    latent = set_latent_noise_mask(vae_encode_for_inpaint(WHITE, VAE, box()), torch.full((2, 5, 7), 0.3))
    assert latent.noise_mask is not None
    assert torch.equal(latent.noise_mask, torch.full((2, 1, 5, 7), 0.3))


def test_a_mask_can_say_how_much_each_place_changes() -> None:
    nothing: Any = None
    model = Model(unet=nothing, latent_format=LatentFormat(4, 1.0, 8, ()))
    patches = [differential_diffusion(model, strength).patches.mask for strength in (0.5, None)]
    assert patches == [DifferentialDiffusion(0.5), DifferentialDiffusion(1.0)]
    assert model.patches.mask is None


def test_a_model_for_inpainting_sees_the_gray_picture_and_the_mask_and_begins_with_the_whole_one() -> None:
    positive, negative, latent = inpaint_model_conditioning(CONDITIONING, CONDITIONING, VAE, WHITE, box())
    for (cond,) in (positive, negative):
        assert cond.concat is not None
        assert cond.concat.mask is not None
        assert cond.concat.latent[0, 0, 0].tolist() == [0, 0, 1, 1]
        assert torch.equal(cond.concat.mask[:, 0], box())
    assert latent.samples[:, 0].min() == 1
    assert latent.noise_mask is not None
    assert CONDITIONING[0].concat is None
    free = inpaint_model_conditioning(CONDITIONING, CONDITIONING, VAE, WHITE, box(), False)
    assert free.latent.noise_mask is None


def test_a_model_for_editing_sees_the_picture_and_begins_with_nothing() -> None:
    positive, _, latent = instruct_pix_to_pix_conditioning(CONDITIONING, CONDITIONING, VAE, WHITE)
    assert positive[0].concat is not None
    assert positive[0].concat.mask is None
    assert positive[0].concat.latent[:, 0].min() == 1
    assert latent.samples.shape == (1, 4, 3, 4)
    assert not latent.samples.any()


@pytest.mark.parametrize(
    ("encode", "decode"),
    [(vae_encode, vae_decode), (vae_encode_tiled, vae_decode_tiled)],
)
def test_in_tiles_or_at_once_a_picture_comes_back(encode: Any, decode: Any, context: Context) -> None:
    picture = torch.rand(2, 11, 13, 3).repeat_interleave(8, 1).repeat_interleave(8, 2)
    sizes = {"tile_size": 64, "overlap": 4096} if decode is vae_decode_tiled else {}
    latent = encode(picture, VAE, context=context, **sizes)
    torch.testing.assert_close(decode(latent, VAE, context=context, **sizes), picture)
