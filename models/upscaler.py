"""ESRGAN's upscaler, arXiv:1809.00219; names of parameters are those of its later files (Real-ESRGAN)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.memory import NotEnoughMemoryError, explained_out_of_memory
from models.tiling import Report, Tiles, averaged_in_tiles
from models.types import Residence

SLOPE = 0.2
"""Of leaky ReLUs below zero."""
RESIDUAL_SCALE = 0.2
DENSE_LAYERS = 5

TILE, OVERLAP, SMALLEST_TILE = 512, 32, 128


class UnknownUpscalerError(ValueError):
    """The keys and shapes are not those of an ESRGAN upscaler."""


@dataclass(frozen=True)
class RrdbConfig:
    """What the network is made of; `unshuffle` × `unshuffle` pixels of the picture are one pixel of many channels."""

    image_channels: int
    features: int
    blocks: int
    growth: int
    doublings: int
    unshuffle: int = 1

    @property
    def scale(self) -> int:
        """Pixels that come out for each that goes in, along a side."""
        return 2**self.doublings // self.unshuffle

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "RrdbConfig":
        """Reads the configuration off the keys and shapes. Raises UnknownUpscalerError."""
        try:
            features, channels = shapes["conv_first.weight"][:2]
            growth = shapes["body.0.rdb1.conv1.weight"][0]
            image_channels = shapes["conv_last.weight"][0]
        except KeyError as missing:
            raise UnknownUpscalerError(f"it has no {missing.args[0]}") from None
        blocks = doublings = 0
        while f"body.{blocks}.rdb1.conv1.weight" in shapes:
            blocks += 1
        while f"conv_up{doublings + 1}.weight" in shapes:
            doublings += 1
        unshuffle = math.isqrt(channels // image_channels) if image_channels else 0
        if unshuffle < 1 or image_channels * unshuffle**2 != channels or 2**doublings % unshuffle:
            raise UnknownUpscalerError(f"{channels} channels go in and {image_channels} come out: unknown in ESRGAN")
        return cls(image_channels, features, blocks, growth, doublings, unshuffle)


class ResidualDenseBlock(nn.Module):
    """Five convolutions, each of which sees the input and what all before have made."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        for number in range(1, DENSE_LAYERS):
            setattr(self, f"conv{number}", nn.Conv2d(features + (number - 1) * growth, growth, 3, padding=1))
        self.conv5 = nn.Conv2d(features + (DENSE_LAYERS - 1) * growth, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for number in range(1, DENSE_LAYERS):
            layer = getattr(self, f"conv{number}")
            seen = torch.cat([seen, F.leaky_relu(layer(seen), SLOPE)], dim=1)
        return x + self.conv5(seen) * RESIDUAL_SCALE


class ResidualInResidualBlock(nn.Module):
    """Three dense blocks and a residual."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = ResidualDenseBlock(features, growth)
        self.rdb2 = ResidualDenseBlock(features, growth)
        self.rdb3 = ResidualDenseBlock(features, growth)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.rdb3(self.rdb2(self.rdb1(x))) * RESIDUAL_SCALE


class RrdbNet(nn.Module):
    """Picture (b, 3, h, w) in 0..1 → (b, 3, h·scale, w·scale) in about 0..1."""

    def __init__(self, config: RrdbConfig) -> None:
        super().__init__()
        self.config = config
        width = config.features
        self.conv_first = nn.Conv2d(config.image_channels * config.unshuffle**2, width, 3, padding=1)
        self.body = nn.ModuleList(ResidualInResidualBlock(width, config.growth) for _ in range(config.blocks))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        for number in range(1, config.doublings + 1):
            setattr(self, f"conv_up{number}", nn.Conv2d(width, width, 3, padding=1))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, config.image_channels, 3, padding=1)

    @property
    def scale(self) -> int:
        """Pixels that come out for each that goes in, along a side."""
        return self.config.scale

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        features = self.conv_first(F.pixel_unshuffle(self._whole(x), self.config.unshuffle))
        h = features
        for block in self.body:
            h = block(h)
        h = features + self.conv_body(h)
        for number in range(1, self.config.doublings + 1):
            layer = getattr(self, f"conv_up{number}")
            h = F.leaky_relu(layer(F.interpolate(h, scale_factor=2.0, mode="nearest")), SLOPE)
        h = self.conv_last(F.leaky_relu(self.conv_hr(h), SLOPE))
        return h[..., : height * self.scale, : width * self.scale]

    def _whole(self, x: Tensor) -> Tensor:
        """The picture, mirrored at its right and bottom until its sides are multiples of what is put together."""
        below, right = (-side % self.config.unshuffle for side in x.shape[-2:])
        mirrors = below < x.shape[-2] and right < x.shape[-1]
        return F.pad(x, (0, right, 0, below), mode="reflect" if mirrors else "replicate")


@dataclass(frozen=True)
class Upscaler:
    """A network that enlarges pictures (b, 3, h, w) in 0..1 by a factor along each side."""

    network: Residence[nn.Module]
    scale: int


def upscaled(upscaler: Upscaler, images: Tensor, report: Report) -> Tensor:
    """Enlarges pictures (b, h, w, 3) in tiles of 512 pixels, or in smaller ones if the memory is too small for these.

    Raises NotEnoughMemoryError if it is too small for tiles of 128, and what `report` raises to stop.
    """
    x = images[..., :3].movedim(-1, 1)
    with upscaler.network.on_device() as network:
        place = upscaler.network.device, upscaler.network.dtype

        def enlarge(tile: Tensor) -> Tensor:
            return network(tile.to(*place))

        tile = TILE
        while True:
            try:
                with explained_out_of_memory(f"enlarging {tile} × {tile} pixels at once"):
                    tiles = [Tiles(tile, tile, OVERLAP)]
                    enlarged = averaged_in_tiles(x, enlarge, tiles, Fraction(upscaler.scale), report)
                    return enlarged.clamp(0, 1).movedim(1, -1)
            except NotEnoughMemoryError:
                tile //= 2
                if tile < SMALLEST_TILE:
                    raise
