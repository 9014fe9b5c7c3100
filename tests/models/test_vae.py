"""The autoencoder agrees with diffusers', given the same weights."""

import re

import pytest
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from models.vae import Autoencoder, AutoencoderConfig, UnknownAutoencoderError

CONFIG = AutoencoderConfig(level_channels=(32, 64, 64), res_blocks=2)

RENAMED = {
    r"encoder\.down_blocks\.(\d+)\.": r"encoder.down.\1.",
    r"\.resnets\.(\d+)\.": r".block.\1.",
    r"\.downsamplers\.0\.": ".downsample.",
    r"\.upsamplers\.0\.": ".upsample.",
    r"\.mid_block\.block\.0\.": ".mid.block_1.",
    r"\.mid_block\.block\.1\.": ".mid.block_2.",
    r"\.mid_block\.attentions\.0\.": ".mid.attn_1.",
    r"\.group_norm\.": ".norm.",
    r"\.to_(q|k|v)\.": r".\1.",
    r"\.to_out\.0\.": ".proj_out.",
    r"\.conv_shortcut\.": ".nin_shortcut.",
    r"\.conv_norm_out\.": ".norm_out.",
}


def reference() -> AutoencoderKL:
    levels = len(CONFIG.level_channels)
    return AutoencoderKL(
        block_out_channels=CONFIG.level_channels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        layers_per_block=CONFIG.res_blocks,
        latent_channels=CONFIG.latent_channels,
    ).eval()


def ldm_name(name: str) -> str:
    """Turns diffusers' name of a parameter into the checkpoint's, which counts the decoder's levels from the finest."""
    coarsest = len(CONFIG.level_channels) - 1
    name = re.sub(r"decoder\.up_blocks\.(\d+)\.", lambda m: f"decoder.up.{coarsest - int(m[1])}.", name)
    for pattern, replacement in RENAMED.items():
        name = re.sub(pattern, replacement, name)
    return name


def in_ldm_layout(theirs: AutoencoderKL, shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    """The checkpoint's attention is made of 1 × 1 convolutions, diffusers' of linear layers."""
    return {
        ldm_name(name): tensor.reshape(shapes[ldm_name(name)]) if ".attentions." in name else tensor
        for name, tensor in theirs.state_dict().items()
    }


@pytest.fixture(scope="module")
def pair() -> tuple[Autoencoder, AutoencoderKL]:
    torch.manual_seed(0)
    theirs, ours = reference(), Autoencoder(CONFIG).eval()
    ours.load_state_dict(in_ldm_layout(theirs, {name: tensor.shape for name, tensor in ours.state_dict().items()}))
    return ours, theirs


@torch.no_grad()
def test_encoding_agrees_with_diffusers(pair: tuple[Autoencoder, AutoencoderKL]) -> None:
    ours, theirs = pair
    images = torch.rand(2, 3, 24, 16) * 2 - 1
    mean, log_variance = ours.encode(images)
    expected = theirs.encode(images).latent_dist
    torch.testing.assert_close(mean, expected.mean, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(log_variance.clamp(-30, 20), expected.logvar, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_decoding_agrees_with_diffusers(pair: tuple[Autoencoder, AutoencoderKL]) -> None:
    ours, theirs = pair
    latents = torch.randn(2, 4, 6, 5)
    torch.testing.assert_close(ours.decode(latents), theirs.decode(latents).sample, atol=1e-5, rtol=1e-5)


def test_the_configuration_is_read_off_the_shapes(pair: tuple[Autoencoder, AutoencoderKL]) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in pair[0].state_dict().items()}
    assert AutoencoderConfig.from_shapes(shapes) == CONFIG
    assert CONFIG.stride == 4


@pytest.mark.parametrize(
    "key", ["encoder.conv_in.weight", "decoder.conv_in.weight", "encoder.down.0.block.0.conv1.weight"]
)
def test_other_shapes_are_no_autoencoder(pair: tuple[Autoencoder, AutoencoderKL], key: str) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in pair[0].state_dict().items() if name != key}
    with pytest.raises(UnknownAutoencoderError, match="autoencoder"):
        AutoencoderConfig.from_shapes(shapes)
