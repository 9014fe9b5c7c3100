"""The KL autoencoder of latent diffusion, arXiv:2112.10752. Names of parameters are those of the checkpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from models.layers import attention


class UnknownAutoencoderError(ValueError):
    """The keys and shapes are not those of a latent diffusion autoencoder."""


@dataclass(frozen=True)
class AutoencoderConfig:
    """What an autoencoder is made of: the width of each level from the finest to the coarsest, and its latent."""

    level_channels: tuple[int, ...]
    res_blocks: int
    latent_channels: int = 4
    image_channels: int = 3
    norm_groups: int = 32

    @property
    def stride(self) -> int:
        """Image pixels per latent pixel."""
        return 2 ** (len(self.level_channels) - 1)

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "AutoencoderConfig":
        """Reads the configuration off a checkpoint's keys and shapes (without the `first_stage_model.` prefix).

        Raises UnknownAutoencoderError.
        """
        try:
            image_channels = shapes["encoder.conv_in.weight"][1]
            latent_channels = shapes["decoder.conv_in.weight"][1]
            widths: list[int] = []
            while (shape := shapes.get(f"encoder.down.{len(widths)}.block.0.conv1.weight")) is not None:
                widths.append(shape[0])
            blocks = 0
            while f"encoder.down.0.block.{blocks}.conv1.weight" in shapes:
                blocks += 1
        except KeyError as missing:
            raise UnknownAutoencoderError(f"no {missing.args[0]}: not a latent diffusion autoencoder") from None
        if not widths:
            raise UnknownAutoencoderError("no encoder.down.0.block.0: not a latent diffusion autoencoder")
        return cls(tuple(widths), blocks, latent_channels, image_channels)


def _norm(config: AutoencoderConfig, channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(config.norm_groups, channels, eps=1e-6)


class ResnetBlock(nn.Module):
    """Two normalized convolutions and a residual."""

    def __init__(self, config: AutoencoderConfig, channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm1 = _norm(config, channels)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.norm2 = _norm(config, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        if channels != out_channels:
            self.nin_shortcut = nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class AttnBlock(nn.Module):
    """Self-attention with one head over the pixels of a feature map."""

    def __init__(self, config: AutoencoderConfig, channels: int) -> None:
        super().__init__()
        self.norm = _norm(config, channels)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        height = x.shape[2]
        normed = self.norm(x)
        q, k, v = (rearrange(layer(normed), "b c h w -> b (h w) c") for layer in (self.q, self.k, self.v))
        out = rearrange(attention(q, k, v, heads=1), "b (h w) c -> b c h w", h=height)
        return x + self.proj_out(out)


class Middle(nn.Module):
    """Residual block, attention, residual block at the coarsest level."""

    def __init__(self, config: AutoencoderConfig, channels: int) -> None:
        super().__init__()
        self.block_1 = ResnetBlock(config, channels, channels)
        self.attn_1 = AttnBlock(config, channels)
        self.block_2 = ResnetBlock(config, channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class Downsample(nn.Module):
    """Halves height and width; pads right and bottom only, as the original does."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Doubles height and width by nearest neighbor, then smooths by a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class DownLevel(nn.Module):
    """The encoder's residual blocks at one resolution."""

    def __init__(self, config: AutoencoderConfig, channels: int, out_channels: int, last: bool) -> None:
        super().__init__()
        widths = [channels] + [out_channels] * (config.res_blocks - 1)
        self.block = nn.ModuleList(ResnetBlock(config, width, out_channels) for width in widths)
        if not last:
            self.downsample = Downsample(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block:
            x = block(x)
        return self.downsample(x) if hasattr(self, "downsample") else x


class UpLevel(nn.Module):
    """The decoder's residual blocks at one resolution: one more than the encoder has."""

    def __init__(self, config: AutoencoderConfig, channels: int, out_channels: int, last: bool) -> None:
        super().__init__()
        widths = [channels] + [out_channels] * config.res_blocks
        self.block = nn.ModuleList(ResnetBlock(config, width, out_channels) for width in widths)
        if not last:
            self.upsample = Upsample(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block:
            x = block(x)
        return self.upsample(x) if hasattr(self, "upsample") else x


class Encoder(nn.Module):
    """Image (b, 3, h, w) in -1..1 → mean and log variance (b, 2·latent_channels, h / stride, w / stride)."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        widths = config.level_channels
        self.conv_in = nn.Conv2d(config.image_channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            DownLevel(config, widths[max(i - 1, 0)], width, last=i == len(widths) - 1) for i, width in enumerate(widths)
        )
        self.mid = Middle(config, widths[-1])
        self.norm_out = _norm(config, widths[-1])
        self.conv_out = nn.Conv2d(widths[-1], 2 * config.latent_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for level in self.down:
            h = level(h)
        return self.conv_out(F.silu(self.norm_out(self.mid(h))))


class Decoder(nn.Module):
    """Latent (b, latent_channels, h, w) → image (b, 3, h·stride, w·stride) in about -1..1."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        widths = config.level_channels
        self.conv_in = nn.Conv2d(config.latent_channels, widths[-1], 3, padding=1)
        self.mid = Middle(config, widths[-1])
        self.up = nn.ModuleList(
            UpLevel(config, widths[min(i + 1, len(widths) - 1)], width, last=i == 0) for i, width in enumerate(widths)
        )
        self.norm_out = _norm(config, widths[0])
        self.conv_out = nn.Conv2d(widths[0], config.image_channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        h = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            h = level(h)
        return self.conv_out(F.silu(self.norm_out(h)))


class Autoencoder(nn.Module):
    """Encoder and decoder with the 1 × 1 convolutions around the latent."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv2d(2 * config.latent_channels, 2 * config.latent_channels, 1)
        self.post_quant_conv = nn.Conv2d(config.latent_channels, config.latent_channels, 1)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Returns mean and log variance of the latent, each (b, latent_channels, h / stride, w / stride)."""
        mean, log_variance = self.quant_conv(self.encoder(images)).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, latents: Tensor) -> Tensor:
        """Returns images (b, 3, h, w) in about -1..1."""
        return self.decoder(self.post_quant_conv(latents))
