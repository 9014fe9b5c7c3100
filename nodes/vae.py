"""Nodes between pictures and latents."""

from typing import Annotated

from models.types import Latent
from models.vae_codec import Report, decode, decode_tiled, encode, encode_tiled
from nodes.context import Context
from nodes.sockets import IMAGE, LATENT, VAE, present
from nodes.spec import Help, Number, node

STRIDE = 8
"""Pixels of the picture for one of the latent, in which the sizes of tiles are given."""

Overlap = Annotated[int, Number(0, 4096, step=32), Help("Pixels that tiles share, a quarter at most", advanced=True)]
Frames = Annotated[int, Number(8, 4096, step=4), Help("For video only: pictures are not cut in time", advanced=True)]
SharedFrames = Annotated[int, Number(4, 4096, step=4), Help("For video only", advanced=True)]


@node("VAEDecode", name="VAE Decode", category="model/latent")
def vae_decode(samples: LATENT, vae: VAE, context: Context) -> IMAGE:
    """Turns latents into pictures; in tiles if there is too little memory for a whole one."""
    return decode(present(vae, "autoencoder"), samples.samples, _report(context))


@node("VAEDecodeTiled", name="VAE Decode (Tiled)", category="model/latent")
def vae_decode_tiled(
    samples: LATENT,
    vae: VAE,
    tile_size: Annotated[int, Number(64, 4096, step=32), Help("Pixels of the picture", advanced=True)] = 512,
    overlap: Overlap = 64,
    temporal_size: Frames = 64,
    temporal_overlap: SharedFrames = 8,
    *,
    context: Context,
) -> IMAGE:
    """Turns latents into pictures tile by tile, for pictures that do not fit the memory as a whole."""
    return decode_tiled(
        present(vae, "autoencoder"), samples.samples, tile_size // STRIDE, overlap // STRIDE, _report(context)
    )


@node("VAEEncode", name="VAE Encode", category="model/latent")
def vae_encode(pixels: IMAGE, vae: VAE, context: Context) -> LATENT:
    """Turns pictures into latents; sides that are no multiple of 8 are cropped."""
    return Latent(encode(present(vae, "autoencoder"), pixels, _report(context)))


@node("VAEEncodeTiled", name="VAE Encode (Tiled)", category="model/latent")
def vae_encode_tiled(
    pixels: IMAGE,
    vae: VAE,
    tile_size: Annotated[int, Number(64, 4096, step=64), Help("Pixels of the picture", advanced=True)] = 512,
    overlap: Overlap = 64,
    temporal_size: Frames = 64,
    temporal_overlap: SharedFrames = 8,
    *,
    context: Context,
) -> LATENT:
    """Turns pictures into latents tile by tile, for pictures that do not fit the memory as a whole."""
    return Latent(encode_tiled(present(vae, "autoencoder"), pixels, tile_size, overlap, _report(context)))


def _report(context: Context) -> Report:
    """Shows the tiles that are done, and stops between two if the job is to stop."""
    return lambda done, total: context.progress(done, total, None)
