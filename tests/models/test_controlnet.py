"""ControlNets agree with diffusers', given the same weights, and are described by their own shapes."""

from dataclasses import replace
from typing import TypeVar

import pytest
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.controlnets.controlnet_union import ControlNetUnionModel
from torch import Tensor, nn

from models.controlnet import ControlNet, ControlNetConfig, UnionConfig, UnknownControlNetError
from models.loading.control_keys import controlnet_sources
from models.unet import Level, UNetConfig

Network = TypeVar("Network", bound=nn.Module)

HINT = (3, 16, 16, 32, 32, 96, 96, 256)
SD1_LIKE = ControlNetConfig(
    UNetConfig(4, 0, 32, (Level(32, (1,), (0, 0)), Level(64, (0,), (0, 0))), middle_depth=1, context_dim=24),
    (*HINT, 32),
)
SDXL_LIKE = ControlNetConfig(
    UNetConfig(
        in_channels=4,
        out_channels=0,
        model_channels=64,
        levels=(Level(64, (0,), (0, 0)), Level(128, (2,), (0, 0))),
        middle_depth=2,
        context_dim=24,
        heads=None,
        head_channels=64,
        linear_projection=True,
        adm_in_channels=20 + 256,
    ),
    (*HINT, 64),
)
UNION_LIKE = replace(SDXL_LIKE, union=UnionConfig(types=6, layers=1))
CONFIGS = pytest.mark.parametrize("config", [SD1_LIKE, SDXL_LIKE, UNION_LIKE], ids=["SD 1.x", "SDXL", "union"])


def shapes_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def options(config: ControlNetConfig) -> dict[str, object]:
    """The same configuration in diffusers' words."""
    half = config.half
    attended = [level.down_depths[0] > 0 for level in half.levels]
    found: dict[str, object] = dict(
        block_out_channels=tuple(level.channels for level in half.levels),
        down_block_types=tuple("CrossAttnDownBlock2D" if with_it else "DownBlock2D" for with_it in attended),
        layers_per_block=1,
        cross_attention_dim=half.context_dim,
        transformer_layers_per_block=[max(level.down_depths[0], 1) for level in half.levels],
        attention_head_dim=[half.heads_of(level.channels) for level in half.levels],  # named so, and counts heads
        use_linear_projection=half.linear_projection,
        conditioning_embedding_out_channels=(16, 32, 96, 256),
    )
    if not half.middle_depth:
        found["mid_block_type"] = "UNetMidBlock2D"
    if half.adm_in_channels is not None:
        found |= dict(
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=half.adm_in_channels,
        )
    return found


def randomized(network: Network) -> Network:
    """Gives also those layers weights that begin as zeros."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return network.eval()


def ours_with_weights_of(theirs: nn.Module, config: ControlNetConfig) -> ControlNet:
    tensors = theirs.state_dict()
    ours = ControlNet(config).eval()
    ours.load_state_dict(
        {name: source.cut(tensors[source.key]) for name, source in controlnet_sources(tensors).items()}
    )
    return ours


def inputs(config: ControlNetConfig, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x = torch.randn(2, 4, *size)
    hint = torch.rand(2, 3, size[0] * 8, size[1] * 8)
    return x, hint, torch.tensor([999.0, 3.0]), torch.randn(2, 5, config.half.context_dim)


@pytest.mark.parametrize("size", [(8, 8), (6, 10)])
@torch.no_grad()
def test_the_network_agrees_with_diffusers(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    theirs = randomized(ControlNetModel(**options(SD1_LIKE)))  # pyright: ignore[reportArgumentType]
    ours = ours_with_weights_of(theirs, SD1_LIKE)
    x, hint, timesteps, context = inputs(SD1_LIKE, size)
    skips, middle = theirs(x, timesteps, context, hint, return_dict=False)
    found = ours(x, hint, timesteps, context)
    torch.testing.assert_close([*found.skips, found.middle], [*skips, middle], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_small_network_without_attention_agrees_with_diffusers() -> None:
    levels = tuple(replace(level, down_depths=(0,)) for level in SD1_LIKE.half.levels)
    half = replace(SD1_LIKE.half, levels=levels, middle_depth=0, middle_blocks=1, context_dim=0)
    config = replace(SD1_LIKE, half=half)
    torch.manual_seed(0)
    theirs = randomized(ControlNetModel(**options(config)))  # pyright: ignore[reportArgumentType]
    ours = ours_with_weights_of(theirs, config)
    assert ControlNetConfig.from_shapes(shapes_of(ours)) == config
    x, hint, timesteps, context = inputs(config, (8, 8))
    skips, middle = theirs(x, timesteps, context, hint, return_dict=False)
    found = ours(x, hint, timesteps, context)
    torch.testing.assert_close([*found.skips, found.middle], [*skips, middle], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_network_for_sdxl_agrees_with_diffusers() -> None:
    torch.manual_seed(0)
    theirs = randomized(ControlNetModel(**options(SDXL_LIKE)))  # pyright: ignore[reportArgumentType]
    ours = ours_with_weights_of(theirs, SDXL_LIKE)
    x, hint, timesteps, context = inputs(SDXL_LIKE, (8, 8))
    pooled, size = torch.randn(2, 20), torch.full((2, 1), 512.0)
    added = {"text_embeds": pooled, "time_ids": size}
    skips, middle = theirs(x, timesteps, context, hint, added_cond_kwargs=added, return_dict=False)
    y = torch.cat([pooled, theirs.add_time_proj(size.flatten())], dim=1)
    found = ours(x, hint, timesteps, context, y)
    torch.testing.assert_close([*found.skips, found.middle], [*skips, middle], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_union_network_agrees_with_diffusers() -> None:
    torch.manual_seed(0)
    theirs = randomized(
        ControlNetUnionModel(num_trans_channel=64, num_proj_channel=64, **options(UNION_LIKE))  # pyright: ignore
    )
    ours = ours_with_weights_of(theirs, UNION_LIKE)
    x, hint, timesteps, context = (tensor[:1] for tensor in inputs(UNION_LIKE, (8, 8)))  # theirs mixes pictures
    pooled, size = torch.randn(1, 20), torch.full((1, 1), 512.0)
    added = {"text_embeds": pooled, "time_ids": size}
    switches = torch.tensor([[0.0, 0, 0, 1, 0, 0]])
    skips, middle = theirs(x, timesteps, context, [hint], switches, [3], added_cond_kwargs=added, return_dict=False)
    y = torch.cat([pooled, theirs.add_time_proj(size.flatten())], dim=1)
    found = ours(x, hint, timesteps, context, y, type=3)
    torch.testing.assert_close([*found.skips, found.middle], [*skips, middle], atol=1e-5, rtol=1e-5)


@CONFIGS
def test_the_configuration_is_read_off_the_shapes(config: ControlNetConfig) -> None:
    with torch.device("meta"):
        shapes = shapes_of(ControlNet(config))
    assert ControlNetConfig.from_shapes(shapes) == config


@torch.no_grad()
def test_zero_convolutions_change_nothing() -> None:
    network = ControlNet(SD1_LIKE)
    for layer in (*network.zero_convs, network.middle_block_out):
        for parameter in layer.parameters():
            parameter.zero_()
    x, hint, timesteps, context = inputs(SD1_LIKE, (8, 8))
    found = network(x, hint, timesteps, context)
    assert not any(residual.any() for residual in (*found.skips, found.middle))


@torch.no_grad()
def test_a_union_network_hears_which_type_a_hint_is_of() -> None:
    torch.manual_seed(0)
    network = randomized(ControlNet(UNION_LIKE))
    x, hint, timesteps, context = inputs(UNION_LIKE, (8, 8))
    y = torch.randn(2, 20 + 256)
    middles = [network(x, hint, timesteps, context, y, type=type).middle for type in (None, 0, 1)]
    assert not torch.allclose(middles[0], middles[1])
    assert not torch.allclose(middles[1], middles[2])


@torch.no_grad()
def test_a_type_that_a_union_network_does_not_know_is_refused() -> None:
    x, hint, timesteps, context = inputs(UNION_LIKE, (8, 8))
    with pytest.raises(ValueError, match="knows 6 types"):
        ControlNet(UNION_LIKE)(x, hint, timesteps, context, torch.randn(2, 20 + 256), type=7)


def test_other_shapes_are_no_controlnet() -> None:
    with pytest.raises(UnknownControlNetError):
        ControlNetConfig.from_shapes({"input_blocks.0.0.weight": (32, 4, 3, 3)})
