"""Values as they cross between our nodes and foreign ones, which hold latents and conditionings as dictionaries."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from models.conditioning import Cond
from models.sampling.guidance import Guider
from models.sampling.noise import NoNoise, RandomNoise
from models.sampling.samplers.table import Sampler
from models.types import Clip, Latent, Model, Vae
from nodes.v1.clip import ForeignClip
from nodes.v1.conditioning import conditioning_to_foreign, conditioning_to_ours, is_conditioning
from nodes.v1.facade import Facade
from nodes.v1.guiders import CFGGuider, guided_by, guider_to_foreign, guider_to_ours
from nodes.v1.latents import latent_to_foreign, latent_to_ours
from nodes.v1.model import ForeignModel
from nodes.v1.samplers import SamplerOfPack, is_sampler, sampler_to_foreign, sampler_to_ours
from nodes.v1.sampling import ForeignNoise, NoiseOfPack
from nodes.v1.vae import ForeignVae


def to_foreign(value: Any) -> Any:
    """The value as a foreign node expects it; new containers, so that the node may change them."""
    match value:
        case Latent():
            return latent_to_foreign(value)
        case Model():
            return ForeignModel(value)
        case Clip():
            return ForeignClip(value)
        case Vae():
            return ForeignVae(value)
        case NoiseOfPack():
            return value.theirs
        case RandomNoise() | NoNoise():
            return ForeignNoise(value)
        case Guider():
            return guider_to_foreign(value)
        case Sampler() | SamplerOfPack():
            return sampler_to_foreign(value)
        case tuple() if value and all(isinstance(entry, Cond) for entry in value):
            return conditioning_to_foreign(value)
        case _:
            return value


def to_ours(value: Any) -> Any:
    """The value as our nodes expect it, whichever side it comes from."""
    if isinstance(value, Facade):
        return value.unwrapped()
    if isinstance(value, CFGGuider):
        return guider_to_ours(value)
    if is_sampler(value):
        return sampler_to_ours(value, guided_by)
    if is_conditioning(value):
        return conditioning_to_ours(value)
    if isinstance(value, Mapping) and isinstance(value.get("samples"), Tensor):
        return latent_to_ours(value)
    return NoiseOfPack(value) if callable(getattr(value, "generate_noise", None)) else value
