"""Pictures reduced to a few colors."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def quantized(picture: Tensor, colors: int, dither: str) -> Tensor:
    """A picture (h, w, 3) in 0..1 with at most so many colors, which are chosen for it.

    `dither` says how the error is spread: `none`, `floyd-steinberg`, or `bayer-2` … `bayer-16` by the size of the
    pattern.
    """
    original = Image.fromarray((picture.cpu().float().numpy() * 255).clip(0, 255).astype(np.uint8))
    palette = original.quantize(colors)
    if dither == "none":
        result = original.quantize(palette=palette, dither=Image.Dither.NONE)
    elif dither == "floyd-steinberg":
        result = original.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    else:
        result = _ordered(original, palette, int(dither.removeprefix("bayer-")))
    return torch.from_numpy(np.asarray(result.convert("RGB"), dtype=np.float32) / 255).to(picture)


def _ordered(original: Image.Image, palette: Image.Image, size: int) -> Image.Image:
    """Shifts each pixel by its place in Bayer's pattern, as far as the palette's colors lie apart, before choosing."""
    levels = np.asarray(original, dtype=np.float32)
    height, width = levels.shape[:2]
    count = len(palette.getpalette() or ()) // 3
    shifts = np.tile(bayer_pattern(size), (-(-height // size), -(-width // size)))[:height, :width, None]
    shifted = levels + 2 * 256 / count * shifts + 0.5
    return Image.fromarray(shifted.clip(0, 255).astype(np.uint8)).quantize(palette=palette, dither=Image.Dither.NONE)


def bayer_pattern(size: int) -> np.ndarray:
    """Bayer's matrix for ordered dithering, centered about 0 and within -0.5..0.5; the size is a power of two."""
    y, x = np.indices((size, size))
    pattern = np.zeros((size, size), np.float32)
    for bit in range(size.bit_length() - 1):
        row, column = y >> bit & 1, x >> bit & 1
        pattern += (2 * (row ^ column) + row - 1.5) / 4 ** (bit + 1)
    return pattern
