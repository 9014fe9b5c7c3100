"""Names of ControlNets' and T2I-Adapters' parameters: the layouts that files have, turned into the networks' own."""

import re
from collections.abc import Iterable

from models.loading.diffusers_names import UNetNames
from models.loading.keys import is_left_out
from models.loading.sources import Source

LDM_PREFIX = "control_model."
DIFFUSERS_MARKER = "controlnet_cond_embedding.conv_in.weight"
BARE_MARKER = "zero_convs.0.0.weight"
CHECKPOINT_PREFIXES = ("model.", "first_stage_model.", "cond_stage_model.", "conditioner.")
"""How the keys of a whole checkpoint begin, which the first ControlNets were published within."""

DIFFERENCE = "difference"
"""A key that marks a file whose weights are differences to the UNet the ControlNet was trained for."""

ADAPTER_PREFIX = "adapter."

_HINT = re.compile(r"controlnet_cond_embedding\.(conv_in|blocks\.(\d+)|conv_out)\.(.+)")
_ZERO = re.compile(r"controlnet_down_blocks\.(\d+)\.(.+)")
_MIDDLE_ZERO = re.compile(r"controlnet_mid_block\.(.+)")
_ADAPTER_BLOCK = re.compile(r"body\.(\d+)\.(?:resnets\.(\d+)\.)?(.+)")


def control_keys(keys: Iterable[str]) -> list[str] | None:
    """Returns the keys of a file that belong to a ControlNet, or to nothing known; None if there is no ControlNet."""
    keys = [key for key in keys if key != DIFFERENCE]
    if any(key.startswith(LDM_PREFIX) for key in keys):
        return [key for key in keys if not key.startswith(CHECKPOINT_PREFIXES) and not is_left_out(key)]
    return keys if DIFFUSERS_MARKER in keys or BARE_MARKER in keys else None


def controlnet_sources(keys: Iterable[str]) -> dict[str, Source]:
    """Returns a ControlNet's parameters, be the keys the paper's code's, with or without a prefix, or diffusers'."""
    keys = list(keys)
    if DIFFUSERS_MARKER in keys:
        names = UNetNames(keys)
        return {_from_diffusers(key, names): Source(key) for key in keys}
    return {key.removeprefix(LDM_PREFIX): Source(key) for key in keys}


def _from_diffusers(key: str, names: UNetNames) -> str:
    if match := _HINT.fullmatch(key):
        number = {"conv_in": 0, "conv_out": 14}.get(match[1], 2 * int(match[2] or 0) + 2)
        return f"input_hint_block.{number}.{match[3]}"
    if match := _ZERO.fullmatch(key):
        return f"zero_convs.{match[1]}.0.{match[2]}"
    if match := _MIDDLE_ZERO.fullmatch(key):
        return f"middle_block_out.0.{match[1]}"
    return names.translated(key)


def adapter_sources(keys: Iterable[str]) -> dict[str, Source]:
    """Returns a T2I-Adapter's parameters, be the keys the paper's code's or diffusers'."""
    keys = list(keys)
    if not any(".resnets." in key for key in keys):
        return {key.removeprefix(ADAPTER_PREFIX): Source(key) for key in keys}
    light = not any(key.endswith("conv_in.weight") and ".body." not in key for key in keys)
    blocks = 1 + max(int(match[1]) for key in keys if (match := re.search(r"resnets\.(\d+)\.", key)))
    return {_adapter_name(key.removeprefix(ADAPTER_PREFIX), light, blocks): Source(key) for key in keys}


def _adapter_name(name: str, light: bool, blocks: int) -> str:
    match = _ADAPTER_BLOCK.fullmatch(name)
    if match is None:
        return name
    level, position, rest = int(match[1]), match[2], match[3]
    if light:
        return f"body.{level}.{rest}" if position is None else f"body.{level}.body.{position}.{rest}"
    return f"body.{level * blocks + int(position or 0)}.{rest}"
