"""Nodes between pictures and latents."""

from models.types import Latent
from models.vae_codec import decode, encode
from nodes.context import Context
from nodes.sockets import IMAGE, LATENT, VAE
from nodes.spec import node


@node("VAEDecode", name="VAE Decode", category="model/latent")
def vae_decode(samples: LATENT, vae: VAE, context: Context) -> IMAGE:
    """Turns latents into pictures."""
    return decode(vae, samples.samples)


@node("VAEEncode", name="VAE Encode", category="model/latent")
def vae_encode(pixels: IMAGE, vae: VAE, context: Context) -> LATENT:
    """Turns pictures into latents; sides that are no multiple of 8 are cropped."""
    return Latent(encode(vae, pixels))
