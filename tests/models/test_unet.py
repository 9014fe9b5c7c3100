"""The UNet agrees with diffusers', given the same weights, and its configuration is read off its own shapes."""

import re
from dataclasses import replace

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from models.unet import Level, UNet, UNetConfig, UnknownUNetError

SD1_LIKE = UNetConfig(
    4, 4, 32, (Level(32, (1, 1), (1, 1, 1)), Level(64, (1, 1), (1, 1, 1)), Level(64, (0, 0), (0, 0, 0))), 1, 24
)
SDXL_LIKE = UNetConfig(
    in_channels=4,
    out_channels=4,
    model_channels=64,
    levels=(Level(64, (0,), (0, 0)), Level(128, (2,), (2, 2))),
    middle_depth=2,
    context_dim=24,
    heads=None,
    head_channels=64,
    linear_projection=True,
    adm_in_channels=20,
)
CONFIGS = pytest.mark.parametrize("config", [SD1_LIKE, SDXL_LIKE], ids=["SD 1.x", "SDXL"])


def reference(config: UNetConfig) -> UNet2DConditionModel:
    """Builds diffusers' UNet of the same configuration."""
    attended = [level.down_depths[0] > 0 for level in config.levels]
    return UNet2DConditionModel(
        in_channels=config.in_channels,
        out_channels=config.out_channels,
        block_out_channels=tuple(level.channels for level in config.levels),
        down_block_types=tuple("CrossAttnDownBlock2D" if with_it else "DownBlock2D" for with_it in attended),
        up_block_types=tuple("CrossAttnUpBlock2D" if with_it else "UpBlock2D" for with_it in reversed(attended)),
        layers_per_block=len(config.levels[0].down_depths),
        transformer_layers_per_block=[max(level.down_depths[0], 1) for level in config.levels],
        attention_head_dim=[config.heads_of(level.channels) for level in config.levels],  # named so, and counts heads
        cross_attention_dim=config.context_dim,
        use_linear_projection=config.linear_projection,
        class_embed_type="projection" if config.adm_in_channels else None,
        projection_class_embeddings_input_dim=config.adm_in_channels,
    ).eval()


RENAMED = {
    r"\.norm1\.": ".in_layers.0.",
    r"\.conv1\.": ".in_layers.2.",
    r"\.time_emb_proj\.": ".emb_layers.1.",
    r"\.norm2\.": ".out_layers.0.",
    r"\.conv2\.": ".out_layers.3.",
    r"\.conv_shortcut\.": ".skip_connection.",
}
WHOLE = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "class_embedding.linear_1": "label_emb.0.0",
    "class_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}


def block_prefix(side: str, level: int, kind: str, number: int, config: UNetConfig) -> str:
    """Numbers a layer as the checkpoint does: all blocks of a side in a row, with the steps between levels."""
    row = level * (len(config.levels[0].down_depths) + 1) + number
    match kind:
        case "resnets" | "attentions":
            block = f"input_blocks.{row + 1}" if side == "down" else f"output_blocks.{row}"
            return f"{block}.{0 if kind == 'resnets' else 1}."
        case "downsamplers":
            return f"input_blocks.{row + len(config.levels[0].down_depths) + 1}.0."
        case _:
            attended = config.levels[::-1][level].up_depths[0] > 0
            return f"output_blocks.{row + len(config.levels[0].down_depths)}.{1 + attended}."


def ldm_name(name: str, config: UNetConfig) -> str:
    """Turns diffusers' name of a parameter into the checkpoint's."""
    if match := re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.", name):
        kind, rest = match[3], name[match.end() :]
        prefix = block_prefix(match[1], int(match[2]), kind, int(match[4]), config)
        name = prefix + (rest.replace("conv.", "op.") if kind == "downsamplers" else rest)
    else:
        whole = next((one for one in WHOLE if name.startswith(f"{one}.")), name)
        kind = "resnets" if "resnets" in whole else "other"
        name = WHOLE[whole] + name.removeprefix(whole)
    for pattern, replacement in RENAMED.items() if kind == "resnets" else ():
        name = re.sub(pattern, replacement, name)
    return name


def in_ldm_names(theirs: UNet2DConditionModel, config: UNetConfig) -> dict[str, Tensor]:
    return {ldm_name(name, config): tensor for name, tensor in theirs.state_dict().items()}


@CONFIGS
@pytest.mark.parametrize("size", [(16, 16), (8, 24)])
@torch.no_grad()
def test_the_unet_agrees_with_diffusers(config: UNetConfig, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    theirs, ours = reference(config), UNet(config).eval()
    ours.load_state_dict(in_ldm_names(theirs, config))
    x, context = torch.randn(2, 4, *size), torch.randn(2, 7, config.context_dim)
    timesteps = torch.tensor([999.0, 0.5])
    y = torch.randn(2, config.adm_in_channels) if config.adm_in_channels else None
    expected = theirs(x, timesteps, encoder_hidden_states=context, class_labels=y).sample
    torch.testing.assert_close(ours(x, timesteps, context, y), expected, atol=1e-5, rtol=1e-5)


@CONFIGS
def test_the_configuration_is_read_off_the_shapes(config: UNetConfig) -> None:
    with torch.device("meta"):
        shapes = {name: tuple(tensor.shape) for name, tensor in UNet(config).state_dict().items()}
    assert UNetConfig.from_shapes(shapes) == config


@torch.no_grad()
def test_a_latent_whose_sides_cannot_be_halved_evenly_keeps_its_size() -> None:
    config = replace(SD1_LIKE, context_dim=16)
    out = UNet(config)(torch.zeros(1, 4, 9, 7), torch.zeros(1), torch.zeros(1, 3, 16))
    assert out.shape == (1, 4, 9, 7)


def test_other_shapes_are_no_unet() -> None:
    with pytest.raises(UnknownUNetError):
        UNetConfig.from_shapes({"input_blocks.0.0.weight": (32, 4, 3, 3)})


@torch.no_grad()
def test_a_unet_that_is_conditioned_on_a_vector_asks_for_it() -> None:
    with pytest.raises(ValueError, match="vector y"):
        UNet(SDXL_LIKE)(torch.zeros(1, 4, 8, 8), torch.zeros(1), torch.zeros(1, 3, 24))
