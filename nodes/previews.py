"""How a latent is shown while it is sampled: by its channels as colors, or decoded by a tiny autoencoder."""

import logging
from collections.abc import Callable
from pathlib import Path

from torch import Tensor, nn

from models.loading.tiny import load_tiny_decoder
from models.preview import decoded_image, latent_to_image, to_jpeg
from models.taesd import name_for
from models.types import LatentFormat, Residence
from nodes.context import Context
from nodes.library import library_of

log = logging.getLogger(__name__)

Preview = Callable[[Tensor], bytes]
"""(latent in model scale) → JPEG of its first picture."""


def previewer(context: Context, latent_format: LatentFormat) -> Preview | None:
    """What makes previews as the job asks for them, or None if it wants none.

    `taesd` needs a decoder in the model folder `vae_approx`; without one the log says so, and colors are shown.
    """
    method = context.settings.preview_method
    if method == "none":
        return None
    decoder = _decoder(context, latent_format) if method == "taesd" else None
    if decoder is None:
        return lambda latent: to_jpeg(latent_to_image(latent, latent_format))
    return lambda latent: to_jpeg(decoded_image(latent, decoder))


def _decoder(context: Context, latent_format: LatentFormat) -> Residence[nn.Module] | None:
    name = name_for(latent_format.scale)
    path = None if name is None else context.paths.approximation(f"{name}_decoder")
    if path is None:
        log.warning("no %s_decoder in models/vae_approx: previews show the latent's colors", name or "taesd")
        return None
    return _loaded(context, path)


def _loaded(context: Context, path: Path) -> Residence[nn.Module]:
    return library_of(context).other("tiny decoder", path, lambda policy: load_tiny_decoder(path, policy))
