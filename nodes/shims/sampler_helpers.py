"""`comfy.sampler_helpers`: what packs do with conditionings and models before they sample by themselves."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from nodes.shims.comfy_utils import reshape_mask

Conds = list[dict[str, Any]]
"""The entries of a conditioning as dictionaries, their features under "cross_attn"."""


def convert_cond(cond: Iterable[tuple[Tensor | None, Mapping[str, Any]]]) -> Conds:
    """A conditioning's entries, each as one dictionary."""
    return [dict(noted) | ({} if features is None else {"cross_attn": features}) for features, noted in cond]


def prepare_mask(noise_mask: Tensor, shape: Any, device: Any) -> Tensor:
    """A mask of what is sampled for every channel of a latent (b, c, h, w), on a device."""
    return reshape_mask(noise_mask, shape).to(device)


def get_additional_models(conds: Any, dtype: Any) -> tuple[list[Any], int]:
    """None, and no bytes for them: ControlNets and their like are brought to the device when they are used."""
    return [], 0


def cleanup_additional_models(models: Iterable[Any]) -> None:
    """Nothing to do: a network goes when nobody refers to it."""


def cleanup_models(conds: Any, models: Iterable[Any]) -> None:
    """Nothing to do: a network goes when nobody refers to it."""
