"""Tells what a file is from its keys and shapes, before any weight is read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.loading import metadata
from models.loading.families import FAMILIES, PLAYGROUND_LATENT, stranger
from models.loading.family import Family
from models.loading.header import ModelFileError
from models.loading.keys import Parts
from models.loading.markers import is_playground
from models.loading.sources import Shapes, Sources, named_shapes
from models.text.clip import ClipTextConfig, UnknownTextEncoderError
from models.text.encoders import ROLE_FACTS, Role
from models.types import LatentFormat
from models.unet import UNetConfig, UnknownUNetError
from models.vae import AutoencoderConfig, UnknownAutoencoderError

UNKNOWN = (UnknownUNetError, UnknownAutoencoderError, UnknownTextEncoderError, IndexError, ValueError)
"""What reading a configuration off shapes may raise; a key of a strange rank gives the last two."""


class UnknownModelError(ModelFileError):
    """The tensors are of no family that can be loaded."""


@dataclass(frozen=True)
class Detected:
    """A file's family and the configuration of each network in it; the UNet is always there."""

    family: Family
    parts: Parts
    unet: UNetConfig
    vae: AutoencoderConfig | None
    text: Mapping[Role, ClipTextConfig]
    latent_format: LatentFormat


def detect(parts: Parts, shapes: Shapes, notes: Mapping[str, str]) -> Detected:
    """Returns the family whose description fits; `notes` are the file's metadata.

    Raises UnknownModelError, which names the nearest family.
    """
    try:
        unet = UNetConfig.from_shapes(named_shapes(parts.unet, shapes))
        vae = autoencoder_config(parts.vae, shapes, notes) if parts.vae else None
        text: dict[Role, ClipTextConfig] = {
            role: text_config(role, sources, shapes) for role, sources in parts.text.items()
        }
    except UNKNOWN as error:
        if isinstance(error, ModelFileError):
            raise
        kind = stranger(shapes) or ("a UNet alone" if "input_blocks.0.0.weight" in shapes else None)
        named = ", ".join(list(shapes)[:3])
        what = f"it looks like {kind}" if kind else f"it holds {len(shapes)} tensors such as {named}"
        raise UnknownModelError(_refusal(what, FAMILIES[0], [str(error)])) from error
    nearest: tuple[Family, list[str]] | None = None
    for family in FAMILIES:
        differences = family.differences(unet, text)
        if not differences:
            usual = PLAYGROUND_LATENT if is_playground(shapes) else family.latent_format
            return Detected(family, parts, unet, vae, text, metadata.latent_format(usual, notes))
        if nearest is None or len(differences) < len(nearest[1]):
            nearest = family, differences
    assert nearest is not None
    raise UnknownModelError(_refusal("its UNet is of no family that is known", *nearest))


def _refusal(what: str, family: Family, differences: list[str]) -> str:
    return f"{what}. The nearest family that can be loaded is {family.name}, but {'; '.join(differences)}"


def text_config(role: Role, sources: Sources, shapes: Shapes) -> ClipTextConfig:
    """Returns the configuration of a text encoder. Raises UnknownTextEncoderError, IndexError and ValueError."""
    facts = ROLE_FACTS[role]
    config = ClipTextConfig.from_shapes(named_shapes(sources, shapes))
    # the diffusers library cuts off the last block of OpenCLIP-H, which Stable Diffusion 2.x does not listen to
    left_out = 1 if role == "clip_h" and config.layers == facts.layers - 1 else 0
    return replace(config, quick_gelu=facts.quick_gelu, layers_left_out=left_out)


def autoencoder_config(sources: Sources, shapes: Shapes, notes: Mapping[str, str]) -> AutoencoderConfig:
    """Returns the configuration of an autoencoder, with what its file says of itself.

    Raises ModelFileError, UnknownAutoencoderError, IndexError and ValueError.
    """
    return metadata.autoencoder(AutoencoderConfig.from_shapes(named_shapes(sources, shapes)), notes)
