"""Names of parameters as the diffusers library writes them, turned into those of single-file checkpoints.

The numbers of blocks follow from how many layers each level of the file has, so that distilled networks need no table.
"""

import re
from collections import Counter
from collections.abc import Iterable

from models.loading.sources import Source

UNET_MARKER = "down_blocks.0.resnets.0.norm1.weight"
AUTOENCODER_MARKER = "encoder.down_blocks.0.resnets.0.norm1.weight"

UNET_WHOLE = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "class_embedding.linear_1": "label_emb.0.0",
    "class_embedding.linear_2": "label_emb.0.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
AUTOENCODER_MIDDLE = {
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.attentions.0": "mid.attn_1",
    "mid_block.resnets.1": "mid.block_2",
    "conv_norm_out": "norm_out",
}
AUTOENCODER_ATTENTION = {
    "group_norm": "norm",
    "to_q": "q", "query": "q",
    "to_k": "k", "key": "k",
    "to_v": "v", "value": "v",
    "to_out.0": "proj_out", "proj_attn": "proj_out",
}  # fmt: skip
"""Old and new names of the layers of an attention block, which are linear here and convolutions there."""

_BLOCK = re.compile(r"(down|up)_blocks\.(\d{1,3})\.(resnets|attentions|downsamplers|upsamplers)\.(\d{1,3})\.(.+)")
_RESNET = re.compile(r"(down|up)_blocks\.(\d{1,3})\.resnets\.(\d+)\.norm1\.weight")
_HALF = re.compile(r"(encoder|decoder)\.(.+)")


class UNetNames:
    """Translates the names of one UNet (or of the downward half of one, as ControlNets have it)."""

    def __init__(self, names: Iterable[str]) -> None:
        names = list(names)
        found = [match for name in names if (match := _RESNET.fullmatch(name))]
        self._layers = Counter((match[1], int(match[2])) for match in found)
        self._attended = {name.partition(".attentions.")[0] for name in names if ".attentions." in name}

    def translated(self, name: str) -> str:
        """Returns the checkpoint's name; one that follows no rule comes back as it is."""
        if match := _BLOCK.fullmatch(name):
            return self._in_block(match[1], int(match[2]), match[3], int(match[4]), match[5])
        for theirs, ours in UNET_WHOLE.items():
            if name.startswith(f"{theirs}."):
                rest = name.removeprefix(f"{theirs}.")
                return f"{ours}.{_resnet(rest) if '.resnets.' in theirs else rest}"
        return name

    def _in_block(self, side: str, level: int, kind: str, number: int, rest: str) -> str:
        layers = self._layers[side, level]
        first = sum(self._layers[side, before] for before in range(level))
        match kind:
            case "resnets" | "attentions":
                block = (
                    f"input_blocks.{1 + first + level + number}"
                    if side == "down"
                    else f"output_blocks.{first + number}"
                )
                return f"{block}.0.{_resnet(rest)}" if kind == "resnets" else f"{block}.1.{rest}"
            case "downsamplers":
                return f"input_blocks.{1 + first + level + layers}.0.{rest.replace('conv.', 'op.', 1)}"
            case _:
                behind = 2 if f"up_blocks.{level}" in self._attended else 1
                return f"output_blocks.{first + layers - 1}.{behind}.{rest}"


def _resnet(rest: str) -> str:
    layer, _, parameter = rest.rpartition(".")
    return f"{UNET_RESNET.get(layer, layer)}.{parameter}"


def unet_sources(keys: Iterable[str], prefix: str = "") -> dict[str, Source]:
    """Returns a UNet's parameters by the checkpoint's names, given the file's keys, all of which begin with prefix."""
    keys = list(keys)
    names = UNetNames(key.removeprefix(prefix) for key in keys)
    return {names.translated(key.removeprefix(prefix)): Source(key) for key in keys}


def autoencoder_sources(keys: Iterable[str], prefix: str = "") -> dict[str, Source]:
    """Returns an autoencoder's parameters by the checkpoint's names, given the file's keys."""
    keys = list(keys)
    levels = 1 + max((int(match[1]) for key in keys if (match := re.search(r"\.up_blocks\.(\d+)\.", key))), default=0)
    return {_autoencoder_name(key.removeprefix(prefix), levels): _convolved(key) for key in keys}


def _convolved(key: str) -> Source:
    return Source(key, unsqueezed="mid_block.attentions.0." in key and key.endswith(".weight"))


def _autoencoder_name(name: str, levels: int) -> str:
    half = _HALF.fullmatch(name)
    if half is None:
        return name
    side, rest = half[1], half[2]
    if match := _BLOCK.fullmatch(rest):
        level = int(match[2]) if match[1] == "down" else levels - 1 - int(match[2])
        inner = match[5].replace("conv_shortcut", "nin_shortcut")
        layer = {"resnets": f"block.{match[4]}", "downsamplers": "downsample", "upsamplers": "upsample"}.get(match[3])
        return f"{side}.{match[1]}.{level}.{layer}.{inner}" if layer else name
    for theirs, ours in AUTOENCODER_MIDDLE.items():
        if rest.startswith(f"{theirs}."):
            inner = rest.removeprefix(f"{theirs}.").replace("conv_shortcut", "nin_shortcut")
            layer, _, parameter = inner.rpartition(".")
            if "attentions" in theirs:
                inner = f"{AUTOENCODER_ATTENTION.get(layer, layer)}.{parameter}"
            return f"{side}.{ours}.{inner}"
    return name
