"""Values as they cross between our nodes and foreign ones, which hold latents and conditionings as dictionaries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from models.conditioning import Cond
from models.types import Clip, Latent, Model, Vae
from nodes.v1.clip import ForeignClip
from nodes.v1.conditioning import conditioning_to_foreign, conditioning_to_ours, is_conditioning
from nodes.v1.facade import Facade
from nodes.v1.model import ForeignModel
from nodes.v1.vae import ForeignVae

LATENT_KEYS = frozenset({"samples", "noise_mask", "batch_index"})


@dataclass(frozen=True)
class AnnotatedLatent(Latent):
    """A latent with whatever else foreign nodes have noted in its dictionary."""

    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


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
        case tuple() if value and all(isinstance(entry, Cond) for entry in value):
            return conditioning_to_foreign(value)
        case _:
            return value


def to_ours(value: Any) -> Any:
    """The value as our nodes expect it, whichever side it comes from."""
    if isinstance(value, Facade):
        return value.ours
    if is_conditioning(value):
        return conditioning_to_ours(value)
    if isinstance(value, Mapping) and isinstance(value.get("samples"), Tensor):
        return latent_to_ours(value)
    return value


def latent_to_foreign(latent: Latent) -> dict[str, Any]:
    """{"samples", "noise_mask", "batch_index"}, those that there are, with what foreign nodes have added before."""
    found: dict[str, Any] = dict(latent.extra) if isinstance(latent, AnnotatedLatent) else {}
    found["samples"] = latent.samples
    if latent.noise_mask is not None:
        found["noise_mask"] = latent.noise_mask
    if latent.batch_index is not None:
        found["batch_index"] = list(latent.batch_index)
    return found


def latent_to_ours(found: Mapping[str, Any]) -> Latent:
    """The latent of a dictionary. Masks may be (h, w), (b, h, w) or (b, 1, h, w), as foreign nodes write them."""
    mask, index = found.get("noise_mask"), found.get("batch_index")
    if mask is not None and mask.ndim < 4:
        mask = mask.reshape(-1, 1, *mask.shape[-2:])
    order = None if index is None else tuple(int(number) for number in index)
    extra = {key: value for key, value in found.items() if key not in LATENT_KEYS}
    return AnnotatedLatent(found["samples"], mask, order, extra) if extra else Latent(found["samples"], mask, order)
