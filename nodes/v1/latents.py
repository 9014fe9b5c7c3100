"""Latents as foreign nodes hold them, {"samples", "noise_mask", "batch_index"}, and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.types import Latent

KEYS = frozenset({"samples", "noise_mask", "batch_index"})


@dataclass(frozen=True)
class AnnotatedLatent(Latent):
    """A latent with whatever else foreign nodes have noted in its dictionary."""

    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


def latent_to_foreign(latent: Latent) -> dict[str, Any]:
    """The keys that there are, with what foreign nodes have added before; a new dictionary."""
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
    extra = {key: value for key, value in found.items() if key not in KEYS}
    return AnnotatedLatent(found["samples"], mask, order, extra) if extra else Latent(found["samples"], mask, order)
