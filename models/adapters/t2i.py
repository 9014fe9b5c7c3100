"""T2I-Adapter, arXiv:2302.08453: a small convolutional network turns a hint picture into features for the UNet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

MARKERS = frozenset({"conv_in.weight", "body.0.in_conv.weight"})
"""The first layer of a full or of a light adapter."""


class UnknownAdapterError(ValueError):
    """The keys and shapes are not those of a T2I-Adapter."""


@dataclass(frozen=True)
class T2IAdapterConfig:
    """What an adapter is made of. `light` ones squeeze the channels; `wide` ones are for SDXL's coarser features."""

    hint_channels: int
    channels: tuple[int, ...]
    blocks: int
    light: bool = False
    wide: bool = False

    @property
    def unshuffle(self) -> int:
        """Side in pixels of the squares whose pixels become channels."""
        return 16 if self.wide else 8

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "T2IAdapterConfig":
        """Reads the configuration off keys and shapes in the layout of the paper's code. Raises UnknownAdapterError."""
        if "conv_in.weight" in shapes:
            return _full(shapes)
        if "body.0.in_conv.weight" in shapes:
            return _light(shapes)
        raise UnknownAdapterError("neither conv_in nor body.0.in_conv: not a T2I-Adapter")


def _full(shapes: Mapping[str, Sequence[int]]) -> T2IAdapterConfig:
    """A level begins where `in_conv` widens the features; one that is as wide as the last has the same blocks."""
    first, inputs = shapes["conv_in.weight"][:2]
    widths: list[int] = []
    while f"body.{len(widths)}.block1.weight" in shapes:
        widths.append(shapes[f"body.{len(widths)}.block1.weight"][0])
    blocks = widths.count(first)
    wide = inputs in (256, 768)
    area = 256 if wide else 64
    if inputs % area or not blocks or len(widths) % blocks:
        raise UnknownAdapterError(f"conv_in takes {inputs} channels and {len(widths)} blocks follow: not a T2I-Adapter")
    return T2IAdapterConfig(inputs // area, tuple(widths[::blocks]), blocks, wide=wide)


def _light(shapes: Mapping[str, Sequence[int]]) -> T2IAdapterConfig:
    channels: list[int] = []
    while f"body.{len(channels)}.out_conv.weight" in shapes:
        channels.append(shapes[f"body.{len(channels)}.out_conv.weight"][0])
    blocks = 0
    while f"body.0.body.{blocks}.block1.weight" in shapes:
        blocks += 1
    return T2IAdapterConfig(shapes["body.0.in_conv.weight"][1] // 64, tuple(channels), blocks, light=True)


class FullBlock(nn.Module):
    """A residual block of a full adapter; the first of a level may halve the sides and change the channels."""

    def __init__(self, channels: int, out_channels: int, down: bool) -> None:
        super().__init__()
        self.down = down
        self.in_conv = nn.Identity() if channels == out_channels else nn.Conv2d(channels, out_channels, 1)
        self.block1 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.block2 = nn.Conv2d(out_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.in_conv(halved(x) if self.down else x)
        return x + self.block2(F.relu(self.block1(x)))


class LightResBlock(nn.Module):
    """Two convolutions around a ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.block2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block2(F.relu(self.block1(x)))


class LightLevel(nn.Module):
    """One resolution of a light adapter, computed in a quarter of its channels."""

    def __init__(self, channels: int, out_channels: int, blocks: int, down: bool) -> None:
        super().__init__()
        self.down = down
        self.in_conv = nn.Conv2d(channels, out_channels // 4, 1)
        self.body = nn.Sequential(*(LightResBlock(out_channels // 4) for _ in range(blocks)))
        self.out_conv = nn.Conv2d(out_channels // 4, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_conv(self.body(self.in_conv(halved(x) if self.down else x)))


class T2IAdapter(nn.Module):
    """Turns a hint (b, hint_channels, h, w), sides multiples of `unshuffle`, into one feature map per UNet level."""

    def __init__(self, config: T2IAdapterConfig) -> None:
        super().__init__()
        self.config = config
        inputs = config.hint_channels * config.unshuffle**2
        if config.light:
            widths = (inputs, *config.channels)
            self.body = nn.ModuleList(
                LightLevel(width, out, config.blocks, down=number > 0)
                for number, (width, out) in enumerate(zip(widths, config.channels, strict=False))
            )
        else:
            self.conv_in = nn.Conv2d(inputs, config.channels[0], 3, padding=1)
            self.body = nn.ModuleList(_full_blocks(config))

    def forward(self, hint: Tensor) -> list[Tensor]:
        x = F.pixel_unshuffle(hint, self.config.unshuffle)
        if not self.config.light:
            x = self.conv_in(x)
        per_level = 1 if self.config.light else self.config.blocks
        features: list[Tensor] = []
        for number, block in enumerate(self.body, 1):
            x = block(x)
            if number % per_level == 0:
                features.append(x)
        return features


def halved(x: Tensor) -> Tensor:
    """Halves the sides by averaging; an odd side is padded by zeros, so that it is rounded up as in the UNet."""
    return F.avg_pool2d(x, 2, padding=(x.shape[2] % 2, x.shape[3] % 2))


def _full_blocks(config: T2IAdapterConfig) -> list[FullBlock]:
    """SDXL's features are halved once only, before its third level."""
    blocks: list[FullBlock] = []
    previous = config.channels[0]
    for number, channels in enumerate(config.channels):
        down = number == 2 if config.wide else number > 0
        for position in range(config.blocks):
            blocks.append(FullBlock(previous, channels, down and position == 0))
            previous = channels
    return blocks
