"""TAESD, a tiny autoencoder that decodes roughly and at once: github.com/madebyollin/taesd, with its key names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SCALES: Mapping[str, float] = {"taesd": 0.18215, "taesdxl": 0.13025}
"""Factors from raw latents to model scale, by the names that the files of each family begin with."""

WIDTH = 64
CLAMP = 3.0


def name_for(scale: float) -> str | None:
    """The name of the TAESD for latents of this scale, or None."""
    return next((name for name, own in SCALES.items() if own == scale), None)


class UnknownTinyAutoencoderError(ValueError):
    """The keys and shapes are not those of TAESD."""


@dataclass(frozen=True)
class TinyConfig:
    """Channels of the latent, and the factor from raw latents to those in model scale, which TAESD works on."""

    latent_channels: int
    scale: float

    stride = 8
    level_channels = (WIDTH,)

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]], scale: float) -> "TinyConfig":
        """Reads the configuration off the keys and shapes. Raises UnknownTinyAutoencoderError."""
        try:
            width, latent_channels = shapes["decoder.1.weight"][:2]
            encoded = shapes["encoder.14.weight"][0]
        except KeyError as missing:
            raise UnknownTinyAutoencoderError(f"it has no {missing.args[0]}: not a TAESD") from None
        if width != WIDTH or encoded != latent_channels:
            raise UnknownTinyAutoencoderError("encoder and decoder are not of one TAESD")
        return cls(latent_channels, scale)


class Block(nn.Module):
    """Three convolutions and a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(_conv(WIDTH), nn.ReLU(), _conv(WIDTH), nn.ReLU(), _conv(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv(x) + x)


class SoftClamp(nn.Module):
    """Keeps latents within -3..3, which they rarely leave."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / CLAMP) * CLAMP


def _conv(channels: int, out_channels: int = WIDTH, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(channels, out_channels, 3, stride=stride, padding=1, bias=bias)


def _encoder(latent_channels: int) -> nn.Sequential:
    """Picture (b, 3, h, w) in 0..1 → latent in model scale, an eighth of the size."""
    layers: list[nn.Module] = [_conv(3), Block()]
    for _ in range(3):
        layers += [_conv(WIDTH, stride=2, bias=False), Block(), Block(), Block()]
    return nn.Sequential(*layers, _conv(WIDTH, latent_channels))


def tiny_decoder(latent_channels: int) -> nn.Sequential:
    """Latent in model scale → picture (b, 3, h, w) in about 0..1."""
    layers: list[nn.Module] = [SoftClamp(), _conv(latent_channels), nn.ReLU()]
    for _ in range(3):
        layers += [Block(), Block(), Block(), nn.Upsample(scale_factor=2), _conv(WIDTH, bias=False)]
    return nn.Sequential(*layers, Block(), _conv(WIDTH, 3))


class TinyAutoencoder(nn.Module):
    """TAESD in place of an autoencoder: the same latents and pictures go in and come out."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = _encoder(config.latent_channels)
        self.decoder = tiny_decoder(config.latent_channels)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Returns mean and log variance (that of no variance) of the raw latent of images in -1..1."""
        mean = self.encoder(images * 0.5 + 0.5) / self.config.scale
        return mean, torch.full_like(mean, -torch.inf)

    def decode(self, latents: Tensor) -> Tensor:
        """Returns images (b, 3, h, w) in about -1..1 of raw latents."""
        return self.decoder(latents * self.config.scale) * 2 - 1
