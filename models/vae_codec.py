"""Between pictures (b, h, w, 3) in 0..1 and raw latents (b, c, h / stride, w / stride), through an autoencoder."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from models.memory import NotEnoughMemoryError, explained_out_of_memory, free_bytes
from models.tiling import Report, averaged_in_tiles, square_and_long
from models.types import Vae

WORKING_SET = 17
"""Numbers alive at once for each pixel and each channel of the finest level; bounds how many pictures go together."""

ENCODER_TILE, ENCODER_OVERLAP = 512, 64
"""Pixels of the picture, where it does not fit the memory as a whole."""
DECODER_TILE, DECODER_OVERLAP = 64, 16
"""Pixels of the latent, where it does not fit the memory as a whole."""


def _silent(done: int, total: int) -> None:
    """Reports to nobody."""


def encode(vae: Vae, images: Tensor, report: Report = _silent) -> Tensor:
    """Returns the means of the latents' distributions, float32 on the CPU. Never draws noise.

    Sides are cropped about the center to a multiple of the stride. Raises ValueError if less than that is left. A
    picture that does not fit the memory is encoded in tiles. The pictures or tiles are reported.
    """
    return _encoded(vae, images, _Whole(ENCODER_TILE, ENCODER_OVERLAP), report)


def encode_tiled(vae: Vae, images: Tensor, tile: int, overlap: int, report: Report = _silent) -> Tensor:
    """Does the same in tiles, about tile × tile pixels of the picture each."""
    return _encoded(vae, images, _Tiled(tile, overlap), report)


def decode(vae: Vae, samples: Tensor, report: Report = _silent) -> Tensor:
    """Returns pictures, float32 on the CPU. Raises ValueError if the autoencoder's latents have other channels.

    A picture that does not fit the memory is decoded in tiles. The pictures or tiles are reported.
    """
    return _decoded(vae, samples, _Whole(DECODER_TILE, DECODER_OVERLAP), report)


def decode_tiled(vae: Vae, samples: Tensor, tile: int, overlap: int, report: Report = _silent) -> Tensor:
    """Does the same in tiles, about tile × tile pixels of the latent each."""
    return _decoded(vae, samples, _Tiled(tile, overlap), report)


@dataclass(frozen=True)
class _Direction:
    """The encoder or the decoder on its device."""

    network: Callable[[Tensor], Tensor]
    device: torch.device
    dtype: torch.dtype
    scale: Fraction
    finest: int
    """Numbers of the network's finest level for each pixel that goes in."""

    def __call__(self, x: Tensor) -> Tensor:
        return self.network(x.to(self.device, self.dtype)).float().cpu()

    def fitting(self, x: Tensor) -> int:
        """How many items of a batch may be expected to fit the free memory at once."""
        one = x.shape[2] * x.shape[3] * self.finest * WORKING_SET * self.dtype.itemsize
        return int(free_bytes(self.device) // one)


@dataclass(frozen=True)
class _Tiled:
    """Runs a network on tiles of three shapes and averages the results."""

    tile: int
    overlap: int

    def __call__(self, direction: _Direction, x: Tensor, report: Report) -> Tensor:
        return averaged_in_tiles(x, direction, square_and_long(self.tile, self.overlap), direction.scale, report)


@dataclass(frozen=True)
class _Whole(_Tiled):
    """Runs a network on whole pictures, as many at once as fit, and on tiles if not even one does.

    A card says when its memory is full. The machine's own may not, but end the process: there, what would not fit is
    not tried.
    """

    def __call__(self, direction: _Direction, x: Tensor, report: Report) -> Tensor:
        fitting = direction.fitting(x)
        if fitting or direction.device.type != "cpu":
            try:
                with explained_out_of_memory("whole pictures"):
                    return _in_batches(direction, x, max(1, fitting), report)
            except NotEnoughMemoryError:
                pass  # the tiles begin below, where nothing holds what the failed attempt had made
        return super().__call__(direction, x, report)


def _in_batches(direction: _Direction, x: Tensor, size: int, report: Report) -> Tensor:
    """Runs a network on so many items at a time, and reports them if they are not all."""
    results: list[Tensor] = []
    for start in range(0, len(x), size):
        results.append(direction(x[start : start + size]))
        if size < len(x):
            report(min(start + size, len(x)), len(x))
    return torch.cat(results)


_Way = Callable[[_Direction, Tensor, Report], Tensor]


def _encoded(vae: Vae, images: Tensor, way: _Way, report: Report) -> Tensor:
    with explained_out_of_memory("encoding a picture"), vae.autoencoder.on_device() as autoencoder:
        stride, finest = autoencoder.config.stride, autoencoder.config.level_channels[0]
        direction = _Direction(
            lambda pixels: autoencoder.encode(pixels)[0],
            vae.autoencoder.device,
            vae.autoencoder.dtype,
            Fraction(1, stride),
            finest,
        )
        return way(direction, _cropped(images, stride).movedim(-1, 1) * 2 - 1, report)


def _decoded(vae: Vae, samples: Tensor, way: _Way, report: Report) -> Tensor:
    with explained_out_of_memory("decoding a latent"), vae.autoencoder.on_device() as autoencoder:
        config = autoencoder.config
        if samples.shape[1] != config.latent_channels:
            raise ValueError(
                f"the latent has {samples.shape[1]} channels, and this VAE decodes {config.latent_channels}: "
                "take the VAE of the model's family"
            )
        direction = _Direction(
            autoencoder.decode,
            vae.autoencoder.device,
            vae.autoencoder.dtype,
            Fraction(config.stride),
            config.stride**2 * config.level_channels[0],
        )
        pixels = way(direction, samples, report)
    return ((pixels + 1) / 2).clamp(0, 1).movedim(1, -1).contiguous()


def _cropped(images: Tensor, stride: int) -> Tensor:
    height, width = (side // stride * stride for side in images.shape[1:3])
    if not height or not width:
        raise ValueError(
            f"the picture is {images.shape[2]} × {images.shape[1]} pixels: "
            f"it needs at least {stride} × {stride} to become a latent"
        )
    top, left = ((side % stride) // 2 for side in images.shape[1:3])
    return images[:, top : top + height, left : left + width, :3]
