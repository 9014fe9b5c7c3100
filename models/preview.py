"""Previews: a rough picture of a latent, without decoding it or by a tiny decoder."""

import io

import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from models.types import LatentFormat, Residence

LARGEST_SIDE = 512


def latent_to_image(latent: Tensor, latent_format: LatentFormat) -> Image.Image:
    """The first latent of a batch (b c h w) in model scale as colors: a weighted sum of its channels.

    Enlarged to at most 512 pixels a side.
    """
    factors = torch.tensor(latent_format.rgb_factors)
    channels = latent[0].float().cpu().nan_to_num()  # a latent gone wrong is shown, not an error of the preview
    colors = torch.einsum("chw,cr->hwr", channels, factors) + torch.tensor(latent_format.rgb_bias)
    return _shown((colors + 1) / 2)


def decoded_image(latent: Tensor, decoder: Residence[nn.Module]) -> Image.Image:
    """The first latent of a batch (b c h w) in model scale, decoded to 0..1. Brought to at most 512 pixels a side."""
    with decoder.on_device() as network:
        colors = network(latent[:1].to(decoder.device, decoder.dtype))[0].float().cpu()
    return _shown(colors.nan_to_num().movedim(0, -1))


def _shown(colors: Tensor) -> Image.Image:
    levels = colors.clamp(0, 1) * 255
    small = Image.fromarray(levels.to(torch.uint8).numpy())
    return ImageOps.contain(small, (LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.BILINEAR)


def to_jpeg(image: Image.Image, quality: int = 95) -> bytes:
    """The image as the bytes of a JPEG file."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()
