"""Values as they cross between our nodes and foreign ones, which hold latents and conditionings as dictionaries."""

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any

from torch import Tensor

from models.conditioning import Cond
from models.controls import ControlLoraModel, ControlNetModel, T2IModel
from models.memory import Resident
from models.sampling.guidance import Guider
from models.sampling.noise import NoNoise, RandomNoise
from models.sampling.samplers.table import Sampler
from models.types import Clip, Latent, Model, Vae
from models.upscaler import Upscaler
from models.vision import Seen
from nodes.v1.clip import ForeignClip
from nodes.v1.conditioning import conditioning_to_foreign, conditioning_to_ours, is_conditioning
from nodes.v1.controls import ForeignControlNet
from nodes.v1.facade import Facade
from nodes.v1.guiders import CFGGuider, guided_by, guider_to_foreign, guider_to_ours, model_to_ours
from nodes.v1.latents import latent_to_foreign, latent_to_ours
from nodes.v1.model import ForeignModel
from nodes.v1.noise import ForeignNoise, NoiseOfPack
from nodes.v1.samplers import SamplerOfPack, is_sampler, sampler_to_foreign, sampler_to_ours
from nodes.v1.upscaling import ForeignUpscaler, is_upscaler, upscaler_to_ours
from nodes.v1.vae import ForeignVae
from nodes.v1.vision import ForeignStyle, ForeignVision, VisionOutput

VISION_MARK, STYLE_MARK = "visual_projection.weight", "style_embedding"
"""Weights by which networks that look at pictures are told from others."""


def to_foreign(value: Any) -> Any:
    """The value as a foreign node expects it; new containers, so that the node may change them."""
    for kind, translated in FOREIGN:
        if isinstance(value, kind):
            return translated(value)
    if isinstance(value, tuple) and value and all(isinstance(entry, Cond) for entry in value):
        return conditioning_to_foreign(value)
    return value


def _network_to_foreign(network: Resident[Any]) -> Any:
    """A network that is a value by itself, told by its weights."""
    if VISION_MARK in network.shapes:
        return ForeignVision(network)
    return ForeignStyle(network) if STYLE_MARK in network.shapes else network


FOREIGN: tuple[tuple[type | UnionType, Callable[[Any], Any]], ...] = (
    (Latent, latent_to_foreign),
    (Model, ForeignModel),
    (Clip, ForeignClip),
    (Vae, ForeignVae),
    (NoiseOfPack, lambda noise: noise.theirs),
    (RandomNoise | NoNoise, ForeignNoise),
    (Guider, guider_to_foreign),
    (Sampler | SamplerOfPack, sampler_to_foreign),
    (ControlNetModel | ControlLoraModel | T2IModel, ForeignControlNet),
    (Seen, VisionOutput.of),
    (Upscaler, ForeignUpscaler),
    (Resident, _network_to_foreign),
)
"""What foreign nodes get for each kind of value."""


def to_ours(value: Any) -> Any:
    """The value as our nodes expect it, whichever side it comes from."""
    if isinstance(value, ForeignModel):
        return model_to_ours(value)
    if isinstance(value, Facade):
        return value.unwrapped()
    if isinstance(value, CFGGuider):
        return guider_to_ours(value)
    if is_sampler(value):
        return sampler_to_ours(value, guided_by)
    if isinstance(value, VisionOutput):
        return value.seen
    if is_upscaler(value):
        return upscaler_to_ours(value)
    if is_conditioning(value):
        return conditioning_to_ours(value)
    if isinstance(value, Mapping) and isinstance(value.get("samples"), Tensor):
        return latent_to_ours(value)
    return NoiseOfPack(value) if callable(getattr(value, "generate_noise", None)) else value
