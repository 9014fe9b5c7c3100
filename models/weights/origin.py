"""Guesses the family of models that a file of adapters was trained on, to tell a person what it is for."""

import re
from collections.abc import Iterable, Mapping

from models.weights.changes import Added, LowRank
from models.weights.lora_file import Lora

NOTES: Mapping[str, str] = {
    r"sdxl|stable-diffusion-xl": "Stable Diffusion XL",
    r"sd_v2|sd2|stable-diffusion-v2": "Stable Diffusion 2.x",
    r"sd_v1|sd1|sd_1\.5|stable-diffusion-v1": "Stable Diffusion 1.x",
    r"sd3|stable-diffusion-3": "Stable Diffusion 3",
    r"flux": "Flux",
    r"hunyuan": "Hunyuan",
    r"wan": "Wan",
}
"""What training programs write into the metadata of their files."""

MARKS: Mapping[str, str] = {
    r".*joint_blocks.*": "Stable Diffusion 3",
    r".*(double_blocks|single_blocks|single_transformer_blocks).*": "Flux",
    r"(transformer|diffusion_model)[._](blocks|layers)[._].*": "a transformer such as Wan or Lumina",
    r"lora_te2_.*|text_encoder_2\..*": "Stable Diffusion XL",
    r".*(motion_modules|temporal_transformer).*": "AnimateDiff",
}
"""Names of modules that only one family has."""

CONTEXT_WIDTHS = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL",
                  1280: "the refiner of Stable Diffusion XL"}  # fmt: skip
"""Widths of the prompt's features that cross-attention takes."""


def base_model_of(lora: Lora) -> str | None:
    """Says which family the adapters seem to be for, or None if nothing tells."""
    notes = " ".join(lora.metadata.get(key, "") for key in ("modelspec.architecture", "ss_base_model_version")).lower()
    for pattern, family in NOTES.items():
        if notes.strip() and re.search(pattern, notes):
            return family
    return _by_width(lora) or _by_mark(lora.targets)


def _by_mark(names: Iterable[str]) -> str | None:
    names = list(names)
    return next(
        (family for mark, family in MARKS.items() if any(re.fullmatch(mark, name) for name in names)),
        None,
    )


def _by_width(lora: Lora) -> str | None:
    for name, target in lora.targets.items():
        if re.search(r"attn2[._](processor[._])?to_[kv]$", name):
            match target.weight:
                case Added(LowRank(down=down)):
                    return CONTEXT_WIDTHS.get(down.shape[1])
                case _:
                    continue
    return None
