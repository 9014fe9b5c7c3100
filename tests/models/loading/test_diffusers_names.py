"""Files in the layout of the diffusers library hold the same networks."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file

from models.conditioning import Cond, Occasion, PictureSize
from models.loading.separate import load_autoencoder, load_unet
from models.memory import DevicePolicy
from models.unet import UNetConfig
from models.vae_codec import decode
from tests.models.test_unet import SD1_LIKE, SDXL_LIKE, reference

CPU = DevicePolicy.choose(cpu=True)


SDXL_AS_PUBLISHED = replace(SDXL_LIKE, context_dim=2048, adm_in_channels=2816)
"""Narrow, but conditioned as the published network: that is how a UNet alone is told."""


@pytest.mark.parametrize("config", [SD1_LIKE, SDXL_AS_PUBLISHED], ids=["SD 1.x", "SDXL"])
@torch.no_grad()
def test_a_unet_of_diffusers_loads_and_computes_as_there(config: UNetConfig, tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = reference(config)
    save_file(theirs.state_dict(), tmp_path / "unet.safetensors")
    model = load_unet(tmp_path / "unet.safetensors", CPU)
    x, context = torch.randn(1, 4, 16, 16), torch.randn(1, 7, config.context_dim)
    y = torch.randn(1, config.adm_in_channels) if config.adm_in_channels else None
    expected = theirs(x, torch.tensor([9.0]), encoder_hidden_states=context, class_labels=y).sample
    with model.unet.on_device() as ours:
        assert ours.config == config
        torch.testing.assert_close(ours(x, torch.tensor([9.0]), context, y), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_unet_whose_levels_have_one_layer_and_no_middle_is_told_by_what_is_there(tmp_path: Path) -> None:
    theirs = UNet2DConditionModel(
        block_out_channels=(64, 64, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        mid_block_type=None,
        layers_per_block=1,
        transformer_layers_per_block=[1, 2, 5],
        attention_head_dim=[1, 1, 1],
        cross_attention_dim=2048,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    ).eval()
    save_file(theirs.state_dict(), tmp_path / "koala.safetensors")
    model = load_unet(tmp_path / "koala.safetensors", CPU)
    x, context = torch.randn(1, 4, 16, 16), torch.randn(1, 7, 2048)
    pooled, numbers = torch.randn(1, 1280), torch.tensor([[64.0, 80.0, 1.0, 2.0, 64.0, 80.0]])
    conditions = {"text_embeds": pooled, "time_ids": numbers}
    expected = theirs(x, torch.tensor([9.0]), encoder_hidden_states=context, added_cond_kwargs=conditions).sample
    assert model.vector is not None
    cond = Cond(context, pooled, size=PictureSize(height=64, width=80, crop_h=1, crop_w=2))
    y = model.vector.vector(cond, Occasion(x, 8))
    with model.unet.on_device() as ours:
        torch.testing.assert_close(ours(x, torch.tensor([9.0]), context, y), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_an_autoencoder_of_diffusers_loads_and_decodes_as_there(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = AutoencoderKL(
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
    ).eval()
    save_file(theirs.state_dict(), tmp_path / "vae.safetensors")
    vae = load_autoencoder(tmp_path / "vae.safetensors", CPU)
    latent = torch.randn(1, 4, 8, 8)
    expected = ((theirs.decode(latent).sample + 1) / 2).clamp(0, 1).movedim(1, -1)
    torch.testing.assert_close(decode(vae, latent), expected, atol=1e-5, rtol=1e-5)
