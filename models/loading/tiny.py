"""Loads TAESD's tiny autoencoder, whose encoder and decoder come in files of their own."""

from pathlib import Path

from torch import nn

from models.loading.detect import UnknownModelError
from models.loading.files import TensorFile, open_tensors
from models.loading.joined import JoinedFile
from models.loading.plan import Plan, Report, reader_for
from models.loading.separate import named
from models.loading.sources import Source
from models.memory import DevicePolicy, Resident
from models.taesd import TinyAutoencoder, TinyConfig, UnknownTinyAutoencoderError, tiny_decoder
from models.types import Vae


def load_tiny_autoencoder(
    encoder: Path, decoder: Path, scale: float, policy: DevicePolicy, report: Report | None = None
) -> Vae:
    """Loads both halves. `scale` is the factor from raw latents to model scale. Raises ModelFileError."""
    with named(encoder, decoder), open_tensors(encoder) as first, open_tensors(decoder) as second:
        file = JoinedFile([("encoder.", first), ("decoder.", second)])
        config = _config(file, scale)
        plan = Plan.of(lambda: TinyAutoencoder(config), _by_name(file), policy.vae_dtype)
        return Vae(plan.resident(reader_for(file, [plan], "a TAESD", policy, report), policy))


def load_tiny_decoder(path: Path, policy: DevicePolicy) -> Resident[nn.Sequential]:
    """Loads the decoder alone, for latents in model scale. Raises ModelFileError."""
    with named(path), open_tensors(path) as file:
        channels = file.shapes.get("1.weight", ())[1:2]
        if not channels:
            raise UnknownModelError("it has no 1.weight: not a decoder of TAESD")
        plan = Plan.of(lambda: tiny_decoder(channels[0]), _by_name(file), policy.vae_dtype)
        return plan.resident(reader_for(file, [plan], "a decoder of TAESD", policy, None), policy)


def _by_name(file: TensorFile) -> dict[str, Source]:
    return {key: Source(key) for key in file.shapes}


def _config(file: TensorFile, scale: float) -> TinyConfig:
    try:
        return TinyConfig.from_shapes(file.shapes, scale)
    except UnknownTinyAutoencoderError as error:
        raise UnknownModelError(str(error)) from error
