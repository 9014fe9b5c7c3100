"""OpenCLIP's names of a text encoder's parameters, as Stable Diffusion 2.x and XL checkpoints have them."""

import re
from collections.abc import Iterable, Iterator

from models.loading.sources import Source

MARKER = "transformer.resblocks."
"""Part of the name of every parameter of a block."""

WHOLE = {
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "text_projection.weight": "text_projection.weight",
}
IN_BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}
FUSED = ("q_proj", "k_proj", "v_proj")
"""What `in_proj` holds, one below the other."""

_BLOCK = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)")
_FUSED = re.compile(r"attn\.in_proj_(weight|bias)")


def is_open_clip(names: Iterable[str]) -> bool:
    """Whether names without their prefix are OpenCLIP's."""
    return any(name.startswith(MARKER) for name in names)


def translated(name: str, key: str) -> Iterator[tuple[str, Source]]:
    """Yields the parameters that OpenCLIP's `name` holds, with where they lie in the file's tensor `key`.

    A name that is none of OpenCLIP's is yielded as it is.
    """
    if name == "text_projection":  # multiplied from the right there: (width, projected)
        yield "text_projection.weight", Source(key, transposed=True)
        return
    block = _BLOCK.fullmatch(name)
    if block is None:
        yield WHOLE.get(name, name), Source(key)
        return
    layer, rest = f"text_model.encoder.layers.{block[1]}", block[2]
    if fused := _FUSED.fullmatch(rest):
        for part, projection in enumerate(FUSED):
            yield f"{layer}.self_attn.{projection}.{fused[1]}", Source(key, part, len(FUSED))
        return
    module, _, parameter = rest.rpartition(".")
    yield f"{layer}.{IN_BLOCK.get(module, module)}.{parameter}", Source(key)
