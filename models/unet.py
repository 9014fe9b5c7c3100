"""The denoising UNet of latent diffusion, arXiv:2112.10752. Names of parameters are those of the checkpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from models.layers import attention, sinusoidal_embedding
from models.unet_patches import Hooks, Place

NOWHERE = Place("middle", 0)
"""The place of a layer that is used by itself, where nothing is hooked in."""


class UnknownUNetError(ValueError):
    """The keys and shapes are not those of a latent diffusion UNet."""


@dataclass(frozen=True)
class Level:
    """One resolution: its width and, for each residual block down and up, how many transformer blocks follow it."""

    channels: int
    down_depths: tuple[int, ...]
    up_depths: tuple[int, ...]


@dataclass(frozen=True)
class UNetConfig:
    """What a UNet is made of. Either `heads` is fixed (SD 1.x) or `head_channels` is (later families).

    The middle has two residual blocks with the transformers between them; distilled UNets have one without
    transformers, or none.
    """

    in_channels: int
    out_channels: int
    model_channels: int
    levels: tuple[Level, ...]
    middle_depth: int
    context_dim: int
    heads: int | None = 8
    head_channels: int | None = None
    linear_projection: bool = False
    adm_in_channels: int | None = None
    norm_groups: int = 32
    middle_blocks: int = 2

    def heads_of(self, channels: int) -> int:
        """Number of attention heads of a layer that is so many channels wide."""
        return self.heads if self.heads is not None else channels // cast(int, self.head_channels)

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]], downward: bool = False) -> "UNetConfig":
        """Reads the configuration off a checkpoint's keys and shapes (without the `model.diffusion_model.` prefix).

        Heads are told by convention: 8 with convolutional projections (SD 1.x), 64 channels each with linear ones.
        `downward` is for the half that ControlNets have: without output blocks, and
        perhaps without attention, which a context_dim of 0 says.
        Raises UnknownUNetError.
        """
        first = shapes.get("input_blocks.0.0.weight")
        out = (0,) if downward else shapes.get("out.2.weight")
        contexts = [shape[1] for key, shape in shapes.items() if key.endswith("attn2.to_k.weight")]
        if first is None or out is None or not (contexts or downward):
            raise UnknownUNetError("no input_blocks.0.0, out.2 or cross-attention: not a latent diffusion UNet")
        linear = any(len(shape) == 2 for key, shape in shapes.items() if key.endswith("proj_in.weight"))
        label = shapes.get("label_emb.0.0.weight")
        return cls(
            in_channels=first[1],
            out_channels=out[0],
            model_channels=first[0],
            levels=_levels(shapes),
            middle_depth=_depth(shapes, "middle_block.1"),
            context_dim=contexts[0] if contexts else 0,
            heads=None if linear else 8,
            head_channels=64 if linear else None,
            linear_projection=linear,
            adm_in_channels=label[1] if label else None,
            middle_blocks=sum(f"middle_block.{place}.out_layers.3.weight" in shapes for place in (0, 2)),
        )


def _depth(shapes: Mapping[str, Sequence[int]], block: str) -> int:
    depth = 0
    while f"{block}.transformer_blocks.{depth}.norm1.weight" in shapes:
        depth += 1
    return depth


def _levels(shapes: Mapping[str, Sequence[int]]) -> tuple[Level, ...]:
    """Walks the input blocks: a convolution `op` ends a level, everything else is a residual block."""
    found: list[tuple[int, list[int]]] = [(0, [])]
    index = 1
    while True:
        block = f"input_blocks.{index}"
        if f"{block}.0.op.weight" in shapes:
            found.append((0, []))
        elif (shape := shapes.get(f"{block}.0.out_layers.3.weight")) is not None:
            found[-1] = (shape[0], [*found[-1][1], _depth(shapes, f"{block}.1")])
        else:
            break
        index += 1
    up_depths: list[tuple[int, ...]] = []
    position = 0
    for _, depths in reversed(found):
        count = len(depths) + 1
        up_depths.append(tuple(_depth(shapes, f"output_blocks.{position + i}.1") for i in range(count)))
        position += count
    return tuple(
        Level(channels, tuple(depths), up) for (channels, depths), up in zip(found, reversed(up_depths), strict=True)
    )


class ResBlock(nn.Module):
    """Two convolutions with the timestep embedding added between them."""

    def __init__(self, channels: int, out_channels: int, emb_channels: int, groups: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            nn.GroupNorm(groups, channels), nn.SiLU(), nn.Conv2d(channels, out_channels, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb_channels, out_channels))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(groups, out_channels),
            nn.SiLU(),
            nn.Identity(),  # the original's dropout: keeps the convolution's number
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
        )
        self.skip_connection = nn.Identity() if channels == out_channels else nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = self.in_layers(x) + self.emb_layers(emb)[:, :, None, None]
        return self.skip_connection(x) + self.out_layers(h)


class CrossAttention(nn.Module):
    """Queries from x (b, n, dim), keys and values from the context (b, m, context_dim)."""

    def __init__(self, dim: int, context_dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k = nn.Linear(context_dim, dim, bias=False)
        self.to_v = nn.Linear(context_dim, dim, bias=False)
        self.to_out = nn.Sequential(nn.Linear(dim, dim))

    def forward(self, x: Tensor, context: Tensor, value: Tensor | None = None) -> Tensor:
        """Values may come from another tensor (b, m, context_dim) than the keys."""
        values = self.to_v(context if value is None else value)
        return self.to_out(attention(self.to_q(x), self.to_k(context), values, self.heads))


class GEGLU(nn.Module):
    """A linear layer gated by a GELU, arXiv:2002.05202."""

    def __init__(self, dim: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(dim, inner * 2)

    def forward(self, x: Tensor) -> Tensor:
        x, gate = self.proj(x).chunk(2, dim=-1)
        return x * F.gelu(gate)


class FeedForward(nn.Module):
    """The gated two-layer perceptron of a transformer block."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.net = nn.Sequential(GEGLU(dim, dim * 4), nn.Identity(), nn.Linear(dim * 4, dim))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class TransformerBlock(nn.Module):
    """Self-attention, attention to the prompt, feed-forward; each with its own norm and residual."""

    def __init__(self, dim: int, context_dim: int, heads: int) -> None:
        super().__init__()
        self.attn1 = CrossAttention(dim, dim, heads)
        self.ff = FeedForward(dim)
        self.attn2 = CrossAttention(dim, context_dim, heads)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.norm3 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, context: Tensor, hooks: Hooks | None = None, place: Place = NOWHERE) -> Tensor:
        if hooks is None:
            normed = self.norm1(x)
            x = x + self.attn1(normed, normed)
            x = x + self.attn2(self.norm2(x), context)
        else:
            x = x + hooks.self_attention(self.attn1, self.norm1(x), place)
            x = hooks.between_attentions(x, place)
            x = x + hooks.cross_attention(self.attn2, self.norm2(x), context, place)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    """Transformer blocks over the pixels of a feature map (b, c, h, w)."""

    def __init__(self, config: UNetConfig, channels: int, depth: int) -> None:
        super().__init__()
        self.linear = config.linear_projection
        self.norm = nn.GroupNorm(config.norm_groups, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels) if self.linear else nn.Conv2d(channels, channels, 1)
        self.transformer_blocks = nn.ModuleList(
            TransformerBlock(channels, config.context_dim, config.heads_of(channels)) for _ in range(depth)
        )
        self.proj_out = nn.Linear(channels, channels) if self.linear else nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, context: Tensor, hooks: Hooks | None = None, place: Place = NOWHERE) -> Tensor:
        height = x.shape[2]
        h = self.norm(x)
        h = h if self.linear else self.proj_in(h)
        h = rearrange(h, "b c h w -> b (h w) c")
        h = self.proj_in(h) if self.linear else h
        for index, block in enumerate(self.transformer_blocks):
            h = block(h, context, hooks, replace(place, index=index))
        h = self.proj_out(h) if self.linear else h
        h = rearrange(h, "b (h w) c -> b c h w", h=height)
        return x + (h if self.linear else self.proj_out(h))


class Downsample(nn.Module):
    """Halves height and width by a strided convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class Upsample(nn.Module):
    """Enlarges to a given size by nearest neighbor, then smooths by a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        return self.conv(F.interpolate(x, size=tuple(size), mode="nearest"))


class Block(nn.ModuleList):
    """The layers of one numbered block, applied in turn."""

    def forward(
        self,
        x: Tensor,
        emb: Tensor,
        context: Tensor,
        size: Sequence[int],
        hooks: Hooks | None = None,
        place: Place = NOWHERE,
    ) -> Tensor:
        for layer in self:
            match layer:
                case ResBlock():
                    x = layer(x, emb)
                case SpatialTransformer():
                    x = layer(x, context, hooks, place)
                case Upsample():
                    x = layer(x, size)
                case _:
                    x = layer(x)
        return x


class UNet(nn.Module):
    """Predicts the noise (or v) in a latent: x (b, in_channels, h, w), timesteps (b,), context (b, n, context_dim)."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        emb_channels = config.model_channels * 4
        self.time_embed = embedding_layers(config.model_channels, emb_channels)
        if config.adm_in_channels is not None:
            self.label_emb = nn.Sequential(embedding_layers(config.adm_in_channels, emb_channels))
        self.input_blocks, skips = input_path(config, emb_channels)
        self.middle_block = Block(middle_layers(config, emb_channels))
        self.output_blocks = _output_blocks(config, emb_channels, skips)
        self.out = nn.Sequential(
            nn.GroupNorm(config.norm_groups, config.model_channels),
            nn.SiLU(),
            nn.Conv2d(config.model_channels, config.out_channels, 3, padding=1),
        )

    def forward(
        self, x: Tensor, timesteps: Tensor, context: Tensor, y: Tensor | None = None, hooks: Hooks | None = None
    ) -> Tensor:
        """Returns the prediction (b, out_channels, h, w).

        y (b, adm_in_channels) carries sizes and pooled text; hooks change what is computed inside.
        """
        emb = self.time_embed(sinusoidal_embedding(timesteps, self.config.model_channels).to(x.dtype))
        if self.config.adm_in_channels is not None:
            if y is None:
                raise ValueError("this UNet is conditioned on a vector y, and none was given")
            emb = emb + self.label_emb(y)
        skips: list[Tensor] = []
        for number, block in enumerate(self.input_blocks):
            x = block(x, emb, context, x.shape[2:], hooks, Place("input", number))
            x = hooks.after_input(x, number) if hooks else x
            skips.append(x)
            x = hooks.after_skip(x, number) if hooks else x
        x = self.middle_block(x, emb, context, x.shape[2:], hooks, Place("middle", 0))
        x = hooks.after_middle(x) if hooks else x
        for number, block in enumerate(self.output_blocks):
            skip = skips.pop()
            if hooks:
                x, skip = hooks.joined(x, skip, number, len(skips))
            size = skips[-1].shape[2:] if skips else x.shape[2:]
            x = block(torch.cat([x, skip], dim=1), emb, context, size, hooks, Place("output", number))
        return self.out(x)


def embedding_layers(channels: int, emb_channels: int) -> nn.Sequential:
    """The perceptron that widens an embedded number or vector (b, channels) to what residual blocks are told."""
    return nn.Sequential(nn.Linear(channels, emb_channels), nn.SiLU(), nn.Linear(emb_channels, emb_channels))


def _attended(config: UNetConfig, channels: int, depth: int) -> list[nn.Module]:
    return [SpatialTransformer(config, channels, depth)] if depth else []


def input_path(config: UNetConfig, emb_channels: int) -> tuple[nn.ModuleList, list[int]]:
    """Returns the downward path and the width of what each of its blocks puts out."""
    channels = config.model_channels
    blocks = [Block([nn.Conv2d(config.in_channels, channels, 3, padding=1)])]
    widths = [channels]
    for number, level in enumerate(config.levels):
        for depth in level.down_depths:
            res_block = ResBlock(channels, level.channels, emb_channels, config.norm_groups)
            channels = level.channels
            blocks.append(Block([res_block, *_attended(config, channels, depth)]))
            widths.append(channels)
        if number < len(config.levels) - 1:
            blocks.append(Block([Downsample(channels)]))
            widths.append(channels)
    return nn.ModuleList(blocks), widths


def middle_layers(config: UNetConfig, emb_channels: int) -> list[nn.Module]:
    """Returns the layers of the middle block."""
    channels = config.levels[-1].channels
    res_blocks = [ResBlock(channels, channels, emb_channels, config.norm_groups) for _ in range(config.middle_blocks)]
    return [*res_blocks[:1], *_attended(config, channels, config.middle_depth), *res_blocks[1:]]


def _output_blocks(config: UNetConfig, emb_channels: int, skips: list[int]) -> nn.ModuleList:
    """Returns the upward path; each block takes one output of the downward path beside its input."""
    channels = config.levels[-1].channels
    waiting = list(skips)
    blocks: list[Block] = []
    for number, level in reversed(list(enumerate(config.levels))):
        for position, depth in enumerate(level.up_depths):
            res_block = ResBlock(channels + waiting.pop(), level.channels, emb_channels, config.norm_groups)
            channels = level.channels
            layers = [res_block, *_attended(config, channels, depth)]
            if number > 0 and position == len(level.up_depths) - 1:
                layers.append(Upsample(channels))
            blocks.append(Block(layers))
    return nn.ModuleList(blocks)
