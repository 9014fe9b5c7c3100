"""Rules about the keys of checkpoints: which network each belongs to, other spellings, and which are left out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from models.loading.families import Family

LEFT_OUT: dict[str, str] = {
    r"model_ema\..*": "the running mean of the weights in training",
    r"betas|alphas_cumprod(_prev)?|log_one_minus_alphas_cumprod|posterior_.*": "the noise schedule, computed anew",
    r"sqrt_(one_minus_|recip_|recipm1_)?alphas_cumprod": "the noise schedule, computed anew",
    r"denoiser\.(sigmas|log_sigmas)": "the noise schedule, computed anew",
    r"lvlb_weights|logvar|scale_factor|global_step": "a number of the training",
    r"first_stage_model\.loss\..*": "the discriminator and perceptual loss that trained the autoencoder",
    r"first_stage_model\.model_ema\..*": "the running mean of the autoencoder's weights",
    r"cond_stage_model\.transformer\.(text_model\.)?embeddings\.position_ids": "the numbers 0 to 76",
    r"cond_stage_model\.(transformer\.)?(logit_scale|text_projection\.weight)": "CLIP's side toward pictures",
    r"cond_stage_model\.transformer\.vision_model\..*": "CLIP's side toward pictures",
    r"cond_stage_model\.transformer\.visual_projection\..*": "CLIP's side toward pictures",
    r"embedding_manager\..*": "what a training of embeddings left behind",
}
"""Keys found in published checkpoints that no network needs, and what they are."""

_LEFT_OUT = re.compile("|".join(f"(?:{pattern})" for pattern in LEFT_OUT))

_OLD_TEXT_MODEL = re.compile(r"(embeddings|encoder|final_layer_norm)\.")


@dataclass
class Parts:
    """The keys of a file by network: for each, the network's own name of a parameter → the file's."""

    unet: dict[str, str] = field(default_factory=dict)
    vae: dict[str, str] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)


def split(keys: Iterable[str], family: Family) -> Parts:
    """Sorts the keys of a single-file checkpoint."""
    parts = Parts()
    for key in keys:
        if _LEFT_OUT.fullmatch(key):
            continue
        if key.startswith(family.unet_prefix):
            parts.unet[key.removeprefix(family.unet_prefix)] = key
        elif key.startswith(family.vae_prefix):
            parts.vae[key.removeprefix(family.vae_prefix)] = key
        elif key.startswith(family.text_prefix):
            parts.text[text_name(key.removeprefix(family.text_prefix))] = key
        else:
            parts.unexpected.append(key)
    return parts


def text_name(name: str) -> str:
    """Adds the `text_model.` that files written by old versions of transformers leave out."""
    return f"text_model.{name}" if _OLD_TEXT_MODEL.match(name) else name
