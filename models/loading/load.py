"""Loads checkpoints: networks built without memory, each tensor of the file read once and adopted as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from models.adapters.unclip import EmbeddingNoise, PictureVector
from models.channels import EditChannels, InpaintChannels
from models.conditioning import ConcatRule, VectorRule
from models.loading.detect import Detected, detect
from models.loading.family import NUMBERS, SINUSOID, Family
from models.loading.files import TensorFile, open_tensors
from models.loading.header import ModelFileError
from models.loading.keys import Parts, split
from models.loading.markers import is_edm_velocity, sampling_of
from models.loading.plan import Plan, Report, WeightsMismatchError, reader_for
from models.loading.sources import Source
from models.memory import DevicePolicy
from models.text.clip import ClipTextConfig
from models.text.encoders import Role, TextEncoders
from models.text.tokenizer import Tokenizer
from models.types import Clip, LatentFormat, Model, Residence, Vae
from models.unet import UNet, UNetConfig
from models.vae import Autoencoder
from models.vectors import AestheticVector, SizesVector

AUGMENTOR_KEYS = ("noise_augmentor.data_mean", "noise_augmentor.data_std")
"""Mean and standard deviation of CLIP's embeddings in the training of an unCLIP checkpoint."""


@dataclass(frozen=True)
class Checkpoint:
    """The networks of one file, ready to use. The text encoder and the autoencoder may be missing in it."""

    model: Model
    clip: Clip | None
    vae: Vae | None
    family: Family


def load_checkpoint(path: Path, policy: DevicePolicy, report: Report | None = None) -> Checkpoint:
    """Loads a single-file checkpoint. `report` is told the fraction read so far and may raise to stop.

    Raises ModelFileError if the file is damaged, unknown or does not fit its family.
    """
    with open_tensors(path) as file:
        try:
            return loaded(file, split(file.shapes), policy, report)
        except ModelFileError as error:
            raise type(error)(f"{path.name} cannot be loaded: {error}") from error.__cause__


def loaded(file: TensorFile, parts: Parts, policy: DevicePolicy, report: Report | None = None) -> Checkpoint:
    """Loads the networks of an open file whose keys have been sorted. Raises ModelFileError."""
    found = detect(parts, file.shapes, file.metadata)
    unet = Plan.of(lambda: UNet(found.unet), parts.unet, policy.unet_dtype)
    text = text_plan(found.text, parts.text, policy) if found.text else None
    config = found.vae
    vae = Plan.of(lambda: Autoencoder(config), parts.vae, policy.vae_dtype) if config else None
    plans = [plan for plan in (unet, text, vae) if plan]
    read = reader_for(file, plans, found.family.name, policy, report, parts.unexpected)
    network = unet.resident(read, policy)
    encoders = text.resident(read, policy) if text else None
    autoencoder = vae.resident(read, policy) if vae else None
    return Checkpoint(
        model=model_of(network, found, file),
        clip=Clip(encoders, Tokenizer(), found.family.encoders) if encoders else None,
        vae=Vae(autoencoder) if autoencoder else None,
        family=found.family,
    )


def text_plan(
    configs: Mapping[Role, ClipTextConfig], parts: Mapping[Role, Mapping[str, Source]], policy: DevicePolicy
) -> Plan[TextEncoders]:
    """Plans text encoders; their weights are rounded to half precision, as ComfyUI stores them."""
    sources = {f"{role}.{name}": source for role, of_role in parts.items() for name, source in of_role.items()}
    return Plan.of(lambda: TextEncoders(configs), sources, torch.float16, policy.text_dtype)


def model_of(network: Residence[UNet], found: Detected, file: TensorFile) -> Model:
    """Returns a UNet with what its family and its file say of its use. Raises ModelFileError."""
    family = found.family
    return Model(
        network,
        found.latent_format,
        sampling_of(file, found.parts.unet, family.told_by_bias),
        vector=_vector_rule(family, found.unet, file),
        concat=_concat_rule(family, found.latent_format, is_edm_velocity(file.shapes)),
    )


def _vector_rule(family: Family, unet: UNetConfig, file: TensorFile) -> VectorRule | None:
    adm = unet.adm_in_channels or 0
    match family.vector:
        case "sizes":
            return SizesVector(adm - NUMBERS["sizes"] * SINUSOID)
        case "aesthetic":
            return AestheticVector(adm - NUMBERS["aesthetic"] * SINUSOID)
        case "picture":
            return PictureVector(_noise_of(file, adm // 2))
        case "none":
            return None


def _noise_of(file: TensorFile, width: int) -> EmbeddingNoise:
    """How a checkpoint makes embeddings of pictures noisy. Raises WeightsMismatchError."""
    if not set(AUGMENTOR_KEYS) <= file.shapes.keys():
        return EmbeddingNoise.of_width(width)
    mean, std = (file.read(key, torch.float32).reshape(1, -1) for key in AUGMENTOR_KEYS)
    if mean.shape != (1, width) or std.shape != (1, width):
        raise WeightsMismatchError(
            f"{' and '.join(AUGMENTOR_KEYS)} have {mean.numel()} and {std.numel()} numbers instead of {width}"
        )
    return EmbeddingNoise(mean, std)


def _concat_rule(family: Family, latent_format: LatentFormat, scaled: bool) -> ConcatRule | None:
    match family.channels:
        case "inpaint":
            return InpaintChannels(latent_format)
        case "edit":  # CosXL's was trained on scaled latents of the picture, instruct-pix2pix on raw ones
            return EditChannels(latent_format if scaled else None)
        case "none":
            return None
