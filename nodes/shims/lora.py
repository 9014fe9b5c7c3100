"""`comfy.lora`: adapters of a file, for whoever applies them with its own code."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from models.weights.changes import Change
from nodes.v1 import weights
from nodes.v1.model_parts import BaseModel


def model_lora_keys_unet(model: BaseModel, key_map: dict[str, str] | None = None) -> dict[str, str]:
    """The names of a model's weights, by all names under which an adapter may speak of them."""
    found = {} if key_map is None else key_map
    return found | weights.unet_keys(model.ours.unet.shapes)


def model_lora_keys_clip(model: Any, key_map: dict[str, str] | None = None) -> dict[str, str]:
    """The names of text encoders' weights, by all names under which an adapter may speak of them."""
    found = {} if key_map is None else key_map
    return found | weights.text_keys(model.ours.encoder.shapes)


def load_lora(lora: Mapping[str, Tensor], to_load: Mapping[str, str], log_missing: bool = True) -> dict[str, Change]:
    """The changes in the tensors of a file, by the names of weights that `to_load` gives for theirs."""
    return weights.load_lora(lora, to_load)


def convert_lora(sd: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as they are: all ways of naming them are known."""
    return sd
