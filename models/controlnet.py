"""ControlNet, arXiv:2302.05543: a copy of a UNet's downward half that reads a hint. Names are those of the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.adapters.attention_block import ResidualAttentionBlock
from models.layers import sinusoidal_embedding
from models.unet import Block, UNetConfig, UnknownUNetError, embedding_layers, input_path, middle_layers
from models.unet_patches import Residuals

HINT_CONVOLUTIONS = 8
HALVING = (2, 4, 6)
"""Convolutions of the hint that halve its sides: a picture becomes as large as its latent."""

TYPE_WIDTH = 256
"""Channels of the sinusoid that each switch of a union ControlNet becomes."""


class UnknownControlNetError(ValueError):
    """The keys and shapes are not those of a ControlNet."""


@dataclass(frozen=True)
class UnionConfig:
    """A ControlNet for several kinds of hints, which is told which of the `types` it sees."""

    types: int
    layers: int
    heads: int = 8


@dataclass(frozen=True)
class ControlNetConfig:
    """The half UNet, and the channels of the hint before and after each convolution."""

    half: UNetConfig
    hint_widths: tuple[int, ...]
    union: UnionConfig | None = None

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "ControlNetConfig":
        """Reads the configuration off keys and shapes without a prefix. Raises UnknownControlNetError."""
        try:
            half = UNetConfig.from_shapes(shapes, downward=True)
            hint_widths = hint_widths_of(shapes)
        except (UnknownUNetError, KeyError) as error:
            raise UnknownControlNetError(f"not a ControlNet: {error}") from None
        return cls(half, hint_widths, _union(shapes))


def hint_widths_of(shapes: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    """Channels of the hint before and after each convolution. Raises KeyError."""
    convolutions = [shapes[f"input_hint_block.{2 * number}.weight"] for number in range(HINT_CONVOLUTIONS)]
    return (convolutions[0][1], *(shape[0] for shape in convolutions))


def _union(shapes: Mapping[str, Sequence[int]]) -> UnionConfig | None:
    if "task_embedding" not in shapes:
        return None
    layers = 0
    while f"transformer_layes.{layers}.ln_1.weight" in shapes:
        layers += 1
    return UnionConfig(shapes["task_embedding"][0], layers)


class TypeEmbedding(nn.Module):
    """Tells a union ControlNet, beside the timestep, which types of hints are there: switches (types,) of 0 and 1."""

    def __init__(self, types: int, emb_channels: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(types * TYPE_WIDTH, emb_channels)
        self.linear_2 = nn.Linear(emb_channels, emb_channels)

    def forward(self, switches: Tensor) -> Tensor:
        told = sinusoidal_embedding(switches, TYPE_WIDTH).flatten()[None].to(self.linear_1.weight.dtype)
        return self.linear_2(nn.functional.silu(self.linear_1(told)))


class ControlNet(nn.Module):
    """Reads a noisy latent x (b, c, h, w) and a hint (b, channels, 8h, 8w); tells what to add inside the UNet."""

    def __init__(self, config: ControlNetConfig) -> None:
        super().__init__()
        self.config = config
        half = config.half
        emb_channels = half.model_channels * 4
        self.time_embed = embedding_layers(half.model_channels, emb_channels)
        if half.adm_in_channels is not None:
            self.label_emb = nn.Sequential(embedding_layers(half.adm_in_channels, emb_channels))
        self.input_blocks, widths = input_path(half, emb_channels)
        self.zero_convs = nn.ModuleList(nn.Sequential(nn.Conv2d(width, width, 1)) for width in widths)
        self.input_hint_block = _hint_layers(config.hint_widths)
        self.middle_block = Block(middle_layers(half, emb_channels))
        self.middle_block_out = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 1))
        if config.union is not None:
            width = config.hint_widths[-1]
            self.task_embedding = nn.Parameter(torch.randn(config.union.types, width) * width**-0.5)
            self.transformer_layes = nn.Sequential(  # spelled so in the files
                *(ResidualAttentionBlock(width, config.union.heads) for _ in range(config.union.layers))
            )
            self.spatial_ch_projs = nn.Linear(width, width)
            self.control_add_embedding = TypeEmbedding(config.union.types, emb_channels)

    def forward(
        self,
        x: Tensor,
        hint: Tensor,
        timesteps: Tensor,
        context: Tensor,
        y: Tensor | None = None,
        type: int | None = None,
    ) -> Residuals:
        """Returns what is added to the skip connections and after the middle.

        y (b, adm) is SDXL's vector. `type` says what the hint is, for a union ControlNet; None leaves it open.
        """
        emb = self.time_embed(sinusoidal_embedding(timesteps, self.config.half.model_channels).to(x.dtype))
        if self.config.half.adm_in_channels is not None:
            if y is None:
                raise ValueError("this ControlNet is for models that are conditioned on a vector, such as SDXL")
            emb = emb + self.label_emb(y)
        if self.config.union is not None:
            emb = emb + self.control_add_embedding(_switches(self.config.union.types, type, x.device))
        skips: list[Tensor] = []
        for number, (block, zero_conv) in enumerate(zip(self.input_blocks, self.zero_convs, strict=True)):
            x = block(x, emb, context, x.shape[2:])
            if number == 0:
                x = x + self._guidance(hint, type)
            skips.append(zero_conv(x))
        x = self.middle_block(x, emb, context, x.shape[2:])
        return Residuals(skips=tuple(skips), middle=self.middle_block_out(x))

    def _guidance(self, hint: Tensor, type: int | None) -> Tensor:
        """The hint as features; a union ControlNet that knows its type shifts them by what it sees as a whole.

        Each hint is one token to itself: in training, the published ones did not let tokens of a picture attend to
        each other.
        """
        features = self.input_hint_block(hint)
        if self.config.union is None or type is None:
            return features
        token = (features.mean(dim=(2, 3)) + self.task_embedding[type])[:, None]
        return features + self.spatial_ch_projs(self.transformer_layes(token)[:, 0])[:, :, None, None]


def _switches(types: int, type: int | None, device: torch.device) -> Tensor:
    switches = torch.zeros(types, device=device)
    if type is not None:
        if type >= types:
            raise ValueError(f"this union ControlNet knows {types} types of hints, and number {type + 1} is asked for")
        switches[type] = 1
    return switches


def _hint_layers(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (inner, outer) in enumerate(pairwise(widths)):
        layers += [nn.Conv2d(inner, outer, 3, stride=2 if number in HALVING else 1, padding=1), nn.SiLU()]
    return nn.Sequential(*layers[:-1])
