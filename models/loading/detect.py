"""Tells what a checkpoint is from its keys and shapes, before any weight is read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.loading import metadata
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


def detect(shapes: Shapes, notes: Mapping[str, str]) -> Detected:
    """Returns the family whose description fits; `notes` are the file's metadata.

    Raises UnknownModelError, which names the nearest family.
    """
    nearest: tuple[list[str], Family] | None = None
    for family in FAMILIES:
        try:
            found = _as_family(shapes, family)
        except UNKNOWN as error:
            differences = [str(error)]
        else:
            differences = family.differences(found.unet, found.text)
            if not differences:
                return _annotated(found, notes)
        if nearest is None or len(differences) < len(nearest[0]):
            nearest = differences, family
    assert nearest is not None
    raise UnknownModelError(_refusal(shapes, *nearest))


def _refusal(shapes: Shapes, differences: list[str], family: Family) -> str:
    kind = stranger(shapes)
    what = f"it looks like {kind}" if kind else f"it holds {len(shapes)} tensors such as {', '.join(list(shapes)[:3])}"
    return f"{what}. The nearest family that can be loaded is {family.name}, but {'; '.join(differences)}"


def _as_family(shapes: Shapes, family: Family) -> Detected:
    parts = split(shapes, family)
    return Detected(
        family=family,
        parts=parts,
        unet=UNetConfig.from_shapes(_named(shapes, parts.unet)),
        vae=AutoencoderConfig.from_shapes(_named(shapes, parts.vae)) if parts.vae else None,
        text=ClipTextConfig.from_shapes(_named(shapes, parts.text)) if parts.text else None,
        latent_format=family.latent_format,
    )


def _annotated(found: Detected, notes: Mapping[str, str]) -> Detected:
    """Adds what the file says of itself."""
    return replace(
        found,
        vae=metadata.autoencoder(found.vae, notes) if found.vae else None,
        latent_format=metadata.latent_format(found.latent_format, notes),
    )


def _named(shapes: Shapes, names: Mapping[str, str]) -> Shapes:
    return {name: shapes[key] for name, key in names.items()}
