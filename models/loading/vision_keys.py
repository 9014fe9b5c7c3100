"""Names of a CLIP vision encoder's parameters: OpenCLIP's and transformers' layouts, turned into the network's own."""

from collections.abc import Iterable, Iterator

from models.loading import open_clip
from models.loading.keys import is_left_out
from models.loading.sources import Source

OPEN_CLIP_MARKER = "conv1.weight"
OPEN_CLIP_PREFIXES = ("", "visual.", "embedder.model.visual.")
"""How OpenCLIP's keys begin: alone, beside a text encoder, and in unCLIP checkpoints."""

OURS = ("vision_model.", "visual_projection.")
OPEN_CLIP_NAMES = {
    "class_embedding": "vision_model.embeddings.class_embedding",
    "positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "ln_post.weight": "vision_model.post_layernorm.weight",
    "ln_post.bias": "vision_model.post_layernorm.bias",
}


def vision_sources(keys: Iterable[str]) -> dict[str, Source]:
    """Returns a vision encoder's parameters; keys of a text encoder in the same file are passed over."""
    keys = [key for key in keys if not is_left_out(key)]
    prefix = next((prefix for prefix in OPEN_CLIP_PREFIXES if prefix + OPEN_CLIP_MARKER in keys), None)
    if prefix is None:
        return {key: Source(key) for key in keys if key.startswith(OURS)}
    return {
        name: source
        for key in keys
        if key.startswith(prefix)
        for name, source in _translated(key.removeprefix(prefix), key)
    }


def _translated(name: str, key: str) -> Iterator[tuple[str, Source]]:
    if name == "proj":  # multiplied from the right there: (width, projected)
        yield "visual_projection.weight", Source(key, transposed=True)
    elif name in OPEN_CLIP_NAMES:
        yield OPEN_CLIP_NAMES[name], Source(key)
    else:
        for ours, source in open_clip.translated(name, key):
            yield ours.replace("text_model.", "vision_model.", 1), source
