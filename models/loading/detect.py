"""Tells what a checkpoint is from its keys and shapes, before any weight is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.loading.families import FAMILIES, Family, stranger
from models.loading.header import ModelFileError
from models.loading.keys import Parts, split
from models.text.clip import ClipTextConfig, UnknownTextEncoderError
from models.types import LatentFormat
from models.unet import UNetConfig, UnknownUNetError
from models.vae import AutoencoderConfig, UnknownAutoencoderError

Shapes = Mapping[str, tuple[int, ...]]

UNKNOWN = (UnknownUNetError, UnknownAutoencoderError, UnknownTextEncoderError, IndexError, ValueError)
"""What reading a configuration off shapes may raise; a key of a strange rank gives the last two."""


class UnknownModelError(ModelFileError):
    """The tensors are of no family that can be loaded."""


@dataclass(frozen=True)
class Detected:
    """A checkpoint's family and the configuration of each network in it; the UNet is always there."""

    family: Family
    parts: Parts
    unet: UNetConfig
    vae: AutoencoderConfig | None
    text: ClipTextConfig | None
    latent_format: LatentFormat


def detect(shapes: Shapes, metadata: Mapping[str, str]) -> Detected:
    """Returns the family whose description fits. Raises UnknownModelError, which names the nearest one."""
    nearest: tuple[list[str], Family] | None = None
    for family in FAMILIES:
        try:
            found = _as_family(shapes, metadata, family)
        except UNKNOWN as error:
            differences = [str(error)]
        else:
            differences = family.differences(found.unet, found.text)
            if not differences:
                return found
        if nearest is None or len(differences) < len(nearest[0]):
            nearest = differences, family
    assert nearest is not None
    raise UnknownModelError(_refusal(shapes, *nearest))


def _refusal(shapes: Shapes, differences: list[str], family: Family) -> str:
    kind = stranger(shapes)
    what = f"it looks like {kind}" if kind else f"it holds {len(shapes)} tensors such as {', '.join(list(shapes)[:3])}"
    return f"{what}. The nearest family that can be loaded is {family.name}, but {'; '.join(differences)}"


def _as_family(shapes: Shapes, metadata: Mapping[str, str], family: Family) -> Detected:
    parts = split(shapes, family)
    return Detected(
        family=family,
        parts=parts,
        unet=UNetConfig.from_shapes(_named(shapes, parts.unet)),
        vae=AutoencoderConfig.from_shapes(_named(shapes, parts.vae)) if parts.vae else None,
        text=ClipTextConfig.from_shapes(_named(shapes, parts.text)) if parts.text else None,
        latent_format=_latent_format(metadata, family.latent_format),
    )


def _named(shapes: Shapes, names: Mapping[str, str]) -> Shapes:
    return {name: shapes[key] for name, key in names.items()}


def _latent_format(metadata: Mapping[str, str], usual: LatentFormat) -> LatentFormat:
    """Takes the colors of the latent's channels from the metadata, for an autoencoder with a latent space of its own.

    `latent_rgb_factors` is JSON, one [red, green, blue] row per channel; `latent_rgb_bias` one such row.
    """
    if "latent_rgb_factors" not in metadata:
        return usual
    factors = _rows(metadata["latent_rgb_factors"], "latent_rgb_factors", usual.channels)
    bias = _rows(f"[{metadata.get('latent_rgb_bias', '[0, 0, 0]')}]", "latent_rgb_bias", 1)
    return replace(usual, rgb_factors=factors, rgb_bias=bias[0])


def _rows(text: str, field: str, count: int) -> tuple[tuple[float, float, float], ...]:
    try:
        found = tuple((float(red), float(green), float(blue)) for red, green, blue in json.loads(text))
    except (ValueError, TypeError, RecursionError):
        found = ()
    if len(found) != count:
        raise ModelFileError(f"{field} in its metadata is not {count} rows of three numbers")
    return found
