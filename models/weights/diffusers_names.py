"""The names that diffusers gives to the modules of a UNet, told from the names that the checkpoint gives them."""

import re
from collections.abc import Iterable, Mapping

from models.loading.diffusers_names import UNET_RESNET, UNET_WHOLE

TOP = {ours: theirs for theirs, ours in reversed(UNET_WHOLE.items()) if "block." not in theirs}
"""Modules outside the blocks."""

RES_BLOCK = {ours: theirs for theirs, ours in UNET_RESNET.items()}
"""Parts of a residual block. Those of a transformer have the same names on both sides."""

_LAYER = re.compile(r"((?:input|output)_blocks\.\d+|middle_block)\.(\d+)\.(.+)")


def diffusers_modules(parameters: Iterable[str]) -> dict[str, str]:
    """Maps each module that has parameters to its name in diffusers; both without `.weight` and the like."""
    modules = dict.fromkeys(name.rpartition(".")[0] for name in parameters)
    blocks = _block_names(modules)
    found: dict[str, str] = {}
    for module in modules:
        match = _LAYER.fullmatch(module)
        if module in TOP:
            found[module] = TOP[module]
        elif match and (name := blocks.get((match[1], match[2]))):
            part = "conv" if match[3] == "op" else RES_BLOCK.get(match[3], match[3])
            found[module] = f"{name}.{part}"
    return found


def _block_names(modules: Iterable[str]) -> dict[tuple[str, str], str]:
    """Names every layer of every numbered block by (block, number of the layer)."""
    kinds: dict[tuple[str, str], str] = {}
    for module in modules:
        if match := _LAYER.fullmatch(module):
            kinds.setdefault((match[1], match[2]), _kind(match[3]))
    counts = {side: _count(kinds, side) for side in ("input_blocks", "output_blocks")}
    return {
        **_middle(kinds),
        **_path(kinds, "input_blocks", range(1, counts["input_blocks"]), "down_blocks", "downsamplers"),
        **_path(kinds, "output_blocks", range(counts["output_blocks"]), "up_blocks", "upsamplers"),
    }


def _kind(part: str) -> str:
    if part in RES_BLOCK:
        return "resnets"
    return "samplers" if part in ("op", "conv") else "attentions"


def _count(kinds: Mapping[tuple[str, str], str], side: str) -> int:
    return 1 + max((int(block.rpartition(".")[2]) for block, _ in kinds if block.startswith(side)), default=-1)


def _path(
    kinds: Mapping[tuple[str, str], str], side: str, numbers: range, name: str, samplers: str
) -> dict[tuple[str, str], str]:
    """Walks one side of the U: what resizes ends a level, and layers are counted anew in the next."""
    found: dict[tuple[str, str], str] = {}
    level = position = 0
    for number in numbers:
        block = f"{side}.{number}"
        layers = {layer: kind for (of, layer), kind in kinds.items() if of == block}
        for layer, kind in layers.items():
            ended = kind == "samplers"
            found[block, layer] = f"{name}.{level}.{samplers}.0" if ended else f"{name}.{level}.{kind}.{position}"
        if "samplers" in layers.values():
            level, position = level + 1, 0
        else:
            position += 1
    return found


def _middle(kinds: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    counts = {"resnets": 0, "attentions": 0}
    for (block, layer), kind in sorted(kinds.items()):
        if block == "middle_block":
            found[block, layer] = f"mid_block.{kind}.{counts[kind]}"
            counts[kind] += 1
    return found
