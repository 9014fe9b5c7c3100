"""The values that travel on wires, with the wire types that ComfyUI gives them."""

from typing import Annotated

from torch import Tensor

from models.types import Clip, Conditioning, Latent, Model, Vae
from nodes.spec import Socket

MODEL = Annotated[Model, Socket("MODEL")]
CLIP = Annotated[Clip, Socket("CLIP")]
VAE = Annotated[Vae, Socket("VAE")]
CONDITIONING = Annotated[Conditioning, Socket("CONDITIONING")]
LATENT = Annotated[Latent, Socket("LATENT")]
IMAGE = Annotated[Tensor, Socket("IMAGE")]
"""Pictures (b, h, w, 3), float32 in 0..1."""
MASK = Annotated[Tensor, Socket("MASK")]
"""Masks (b, h, w), float32 in 0..1."""
