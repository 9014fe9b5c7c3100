"""What a safetensors file may say of itself that shapes do not tell. Any file may; none has to."""

import json
from collections.abc import Mapping
from dataclasses import replace

from models.loading.header import ModelFileError
from models.types import LatentFormat
from models.vae import AutoencoderConfig

NORM_GROUPS = "first_stage_model.norm_num_groups"
"""A decimal number: groups of the autoencoder's group norms, where they are not 32."""

RGB_FACTORS = "latent_rgb_factors"
"""JSON: one [red, green, blue] row per channel of the scaled latent, whose sum is a rough picture in -1..1."""

RGB_BIAS = "latent_rgb_bias"
"""JSON: one more [red, green, blue], added to the sum."""


def autoencoder(config: AutoencoderConfig, metadata: Mapping[str, str]) -> AutoencoderConfig:
    """Returns the configuration with the norm groups that the file states. Raises ModelFileError."""
    text = metadata.get(NORM_GROUPS)
    if text is None:
        return config
    groups = int(text) if text.isdecimal() and len(text) < 6 else 0
    if groups < 1 or any(width % groups for width in config.level_channels):
        raise ModelFileError(f"{NORM_GROUPS} in its metadata is {text[:20]!r}, which does not divide the widths")
    return replace(config, norm_groups=groups)


def latent_format(usual: LatentFormat, metadata: Mapping[str, str]) -> LatentFormat:
    """Returns the format with the colors that a file states for a latent space of its own. Raises ModelFileError."""
    if RGB_FACTORS not in metadata:
        return usual
    factors = _rows(metadata[RGB_FACTORS], RGB_FACTORS, usual.channels)
    [bias] = _rows(f"[{metadata.get(RGB_BIAS, '[0, 0, 0]')}]", RGB_BIAS, 1)
    return replace(usual, rgb_factors=factors, rgb_bias=bias)


def _rows(text: str, field: str, count: int) -> tuple[tuple[float, float, float], ...]:
    try:
        found = tuple((float(red), float(green), float(blue)) for red, green, blue in json.loads(text))
    except (ValueError, TypeError, OverflowError, RecursionError):
        found = ()
    if len(found) != count:
        raise ModelFileError(f"{field} in its metadata is not {count} rows of three numbers")
    return found
