"""The values that travel on wires, with the wire types that ComfyUI gives them."""

from typing import Annotated, TypeVar

from torch import Tensor

from models.adapters.gligen import Gligen
from models.adapters.style import StyleModel
from models.conditioning import Conditioning
from models.controls import ControlModel
from models.sampling.guidance import Guider
from models.sampling.named import Walker
from models.sampling.noise import Noise
from models.types import Clip, Latent, Model, Residence, Vae
from models.vision import ClipVision, Seen
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
SIGMAS = Annotated[Tensor, Socket("SIGMAS")]
"""The sigmas that a sampler visits, in its order (n + 1,), float32."""
SAMPLER = Annotated[Walker, Socket("SAMPLER")]
NOISE = Annotated[Noise, Socket("NOISE")]
GUIDER = Annotated[Guider, Socket("GUIDER")]
CONTROL_NET = Annotated[ControlModel, Socket("CONTROL_NET")]
CLIP_VISION = Annotated[Residence[ClipVision], Socket("CLIP_VISION")]
CLIP_VISION_OUTPUT = Annotated[Seen, Socket("CLIP_VISION_OUTPUT")]
STYLE_MODEL = Annotated[Residence[StyleModel], Socket("STYLE_MODEL")]
GLIGEN = Annotated[Residence[Gligen], Socket("GLIGEN")]


Value = TypeVar("Value")


class MissingPartError(ValueError):
    """A checkpoint was wired to something that it does not hold."""


def present(value: Value | None, what: str) -> Value:
    """Returns the value. Raises MissingPartError if a loader had none to give."""
    if value is None:
        raise MissingPartError(f"the checkpoint that is wired in has no {what}: choose one that has, or load it apart")
    return value
