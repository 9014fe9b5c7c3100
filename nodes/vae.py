"""Nodes between pictures and latents."""

from models.types import Latent
from models.vae_codec import decode, encode
from nodes.sockets import IMAGE, LATENT, VAE, present
from nodes.spec import node


@node("VAEDecode", name="VAE Decode", category="model/latent")
def vae_decode(samples: LATENT, vae: VAE) -> IMAGE:
    """Turns latents into pictures."""
    return decode(present(vae, "autoencoder"), samples.samples)


@node("VAEEncode", name="VAE Encode", category="model/latent")
def vae_encode(pixels: IMAGE, vae: VAE) -> LATENT:
    """Turns pictures into latents; sides that are no multiple of 8 are cropped."""
    return Latent(encode(present(vae, "autoencoder"), pixels))
