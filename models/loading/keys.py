"""Rules about the keys of files: which network each belongs to, by what name, and which are left out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from models.loading import diffusers_names, open_clip
from models.loading.sources import Source
from models.text.encoders import ROLE_FACTS, Role

LEFT_OUT: dict[str, str] = {
    r"model_ema\..*": "the running mean of the weights in training",
    r"betas|alphas_cumprod(_prev)?|log_one_minus_alphas_cumprod|posterior_.*": "the noise schedule, computed anew",
    r"sqrt_(one_minus_|recip_|recipm1_)?alphas_cumprod": "the noise schedule, computed anew",
    r"denoiser\.(sigmas|log_sigmas)|model_sampling\..*": "the noise schedule, computed anew",
    r"lvlb_weights|logvar|scale_factor|global_step|iteration": "a number of the training",
    r"first_stage_model\.loss\..*|loss\..*": "the discriminator and perceptual loss that trained the autoencoder",
    r"first_stage_model\.model_ema\..*": "the running mean of the autoencoder's weights",
    r"(.*\.)?(text_model\.)?embeddings\.position_ids": "the numbers 0 to 76",
    r"(.*\.)?attn_mask": "the causal mask, computed anew",
    r"(.*\.)?logit_scale": "CLIP's scale between words and pictures",
    r"(cond_stage_model|conditioner\.embedders\.0)\.text_projection(\.weight)?": "CLIP-L's projection, not used",
    r"(cond_stage_model|conditioner\.embedders\.\d)\.(transformer\.)?(vision_model|visual_projection)\..*": (
        "CLIP's side toward pictures"
    ),
    r"embedder\.model\.(positional_embedding|text_projection|(token_embedding|ln_final|transformer)\..*)": (
        "the side toward words of the CLIP that sees pictures"
    ),
    r"embedder\.(mean|std)": "colors of CLIP's training pictures",
    r"embedding_manager\..*": "what a training of embeddings left behind",
    r"v_pred|ztsnr|edm_(mean|std)|edm_vpred\.sigma_(min|max)": "what the file says of its predictions",
}
"""Keys found in published files that no network needs, and what they are."""

_LEFT_OUT = re.compile("|".join(f"(?:{pattern})" for pattern in LEFT_OUT))

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIXES: Mapping[str, Role] = {
    "cond_stage_model.transformer.": "clip_l",
    "cond_stage_model.model.": "clip_h",
    "conditioner.embedders.0.transformer.": "clip_l",
    "conditioner.embedders.0.model.": "clip_g",
    "conditioner.embedders.1.model.": "clip_g",
    "conditioner.embedders.1.transformer.": "clip_g",
    "text_encoders.clip_l.transformer.": "clip_l",
    "text_encoders.clip_g.transformer.": "clip_g",
    "text_encoders.clip_h.transformer.": "clip_h",
}
"""How the keys of text encoders begin in single-file checkpoints."""

READ_APART = ("embedder.", "noise_augmentor.")
"""How keys of unCLIP checkpoints begin that are read apart: a CLIP for pictures, and what makes them noisy."""

PICTURE_SIDE = ("vision_model.", "visual_projection.", "visual.")
"""How the names begin of what a whole CLIP has beside its text encoder: in files of transformers and of OpenCLIP."""

_OLD_TEXT_MODEL = re.compile(r"(embeddings|encoder|final_layer_norm)\.")


@dataclass
class Parts:
    """A file by network: for each, where its parameters lie, by the network's own names."""

    unet: dict[str, Source] = field(default_factory=dict[str, Source])
    vae: dict[str, Source] = field(default_factory=dict[str, Source])
    text: dict[Role, dict[str, Source]] = field(default_factory=dict[Role, dict[str, Source]])
    unexpected: list[str] = field(default_factory=list[str])


def split(keys: Iterable[str]) -> Parts:
    """Sorts the keys of a single-file checkpoint."""
    grouped: dict[str, list[str]] = {}
    parts = Parts()
    prefixes = (UNET_PREFIX, VAE_PREFIX, *TEXT_PREFIXES)
    for key in keys:
        if is_left_out(key):
            continue
        prefix = next((prefix for prefix in prefixes if key.startswith(prefix)), None)
        if prefix is not None:
            grouped.setdefault(prefix, []).append(key)
        elif not key.startswith(READ_APART):
            parts.unexpected.append(key)
    parts.unet = unet_sources(grouped.get(UNET_PREFIX, ()), UNET_PREFIX)
    parts.vae = autoencoder_sources(grouped.get(VAE_PREFIX, ()), VAE_PREFIX)
    parts.text = {
        role: text_sources(grouped[prefix], role, prefix) for prefix, role in TEXT_PREFIXES.items() if prefix in grouped
    }
    return parts


def is_left_out(key: str) -> bool:
    """Whether a key holds nothing that a network needs."""
    return _LEFT_OUT.fullmatch(key) is not None


def unet_sources(keys: Iterable[str], prefix: str = "") -> dict[str, Source]:
    """Returns a UNet's parameters, in whichever layout the keys are; all of them begin with prefix."""
    keys = list(keys)
    if prefix + diffusers_names.UNET_MARKER in keys:
        return diffusers_names.unet_sources(keys, prefix)
    return _as_named(keys, prefix)


def autoencoder_sources(keys: Iterable[str], prefix: str = "") -> dict[str, Source]:
    """Returns an autoencoder's parameters, in whichever layout the keys are; all of them begin with prefix."""
    keys = list(keys)
    if prefix + diffusers_names.AUTOENCODER_MARKER in keys:
        return diffusers_names.autoencoder_sources(keys, prefix)
    return _as_named(keys, prefix)


def text_sources(keys: Iterable[str], role: Role, prefix: str = "") -> dict[str, Source]:
    """Returns a text encoder's parameters, in whichever layout the keys are; all of them begin with prefix.

    Of a whole CLIP, the side toward pictures is passed over.
    """
    names = {key: name for key in keys if not (name := key.removeprefix(prefix)).startswith(PICTURE_SIDE)}
    if open_clip.is_open_clip(names.values()):
        found = dict(pair for key, name in names.items() for pair in open_clip.translated(name, key))
    else:
        found = {text_name(name): Source(key) for key, name in names.items()}
    if not ROLE_FACTS[role].projected:
        found.pop("text_projection.weight", None)
    return found


def _as_named(keys: Iterable[str], prefix: str) -> dict[str, Source]:
    return {key.removeprefix(prefix): Source(key) for key in keys}


def text_name(name: str) -> str:
    """Adds the `text_model.` that files written by old versions of transformers leave out."""
    return f"text_model.{name}" if _OLD_TEXT_MODEL.match(name) else name
