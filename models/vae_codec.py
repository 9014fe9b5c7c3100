"""Between pictures (b, h, w, 3) in 0..1 and raw latents (b, c, h / stride, w / stride), through an autoencoder."""

from collections.abc import Callable

import torch
from torch import Tensor

from models.memory import explained_out_of_memory, free_bytes
from models.types import Vae

WORKING_SET = 17
"""Numbers alive at once for each pixel and each channel of the finest level; bounds how many pictures go together."""


def encode(vae: Vae, images: Tensor) -> Tensor:
    """Returns the means of the latents' distributions, float32 on the CPU. Never draws noise.

    Sides are cropped about the center to a multiple of the stride. Raises ValueError if less than that is left.
    """
    with explained_out_of_memory("encoding a picture"), vae.autoencoder.on_device() as autoencoder:
        stride = autoencoder.config.stride
        pixels = _cropped(images, stride).movedim(-1, 1) * 2 - 1

        def means(batch: Tensor) -> Tensor:
            return autoencoder.encode(batch)[0]

        return _in_batches(vae, means, pixels, pixels.shape[2] * pixels.shape[3] * autoencoder.config.level_channels[0])


def decode(vae: Vae, samples: Tensor) -> Tensor:
    """Returns pictures, float32 on the CPU. Raises ValueError if the autoencoder's latents have other channels."""
    with explained_out_of_memory("decoding a latent"), vae.autoencoder.on_device() as autoencoder:
        config = autoencoder.config
        if samples.shape[1] != config.latent_channels:
            raise ValueError(
                f"the latent has {samples.shape[1]} channels, and this VAE decodes {config.latent_channels}: "
                "take the VAE of the model's family"
            )
        area = samples.shape[2] * samples.shape[3] * config.stride**2
        pixels = _in_batches(vae, autoencoder.decode, samples, area * config.level_channels[0])
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


def _in_batches(vae: Vae, network: Callable[[Tensor], Tensor], x: Tensor, finest: int) -> Tensor:
    """Runs as many items at once as fit the free memory, at least one. `finest` counts the finest level's numbers."""
    device, dtype = vae.autoencoder.device, vae.autoencoder.dtype
    at_once = max(1, int(free_bytes(device) // (finest * WORKING_SET * dtype.itemsize)))
    return torch.cat([network(batch.to(device, dtype)).float().cpu() for batch in x.split(at_once)])
