"""Nodes that load models from files."""

from typing import Annotated, NamedTuple

from models.loading.load import Checkpoints
from models.memory import DevicePolicy
from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.sockets import CLIP, MODEL, VAE
from nodes.spec import FileChoice, node

PROGRESS_PARTS = 100


class Loaded(NamedTuple):
    """The networks of a checkpoint; the text encoder and the autoencoder are None if the file has none."""

    model: MODEL
    clip: CLIP
    vae: VAE


def _fingerprint(ckpt_name: str, context: Context) -> str:
    return fingerprint_of(context.paths.model_file("checkpoints", ckpt_name))


@node("CheckpointLoaderSimple", name="Load Checkpoint", category="model/loaders", fingerprint=_fingerprint)
def checkpoint_loader_simple(ckpt_name: Annotated[str, FileChoice("checkpoints")], context: Context) -> Loaded:
    """Loads a checkpoint: the UNet that denoises, the text encoder and the autoencoder."""

    def report(fraction: float) -> None:
        context.progress(int(fraction * PROGRESS_PARTS), PROGRESS_PARTS, None)

    checkpoints = context.services.get(Checkpoints, lambda: Checkpoints(_policy(context)))
    found = checkpoints.get(context.paths.model_file("checkpoints", ckpt_name), report)
    return Loaded(found.model, found.clip, found.vae)  # pyright: ignore[reportArgumentType]


def _policy(context: Context) -> DevicePolicy:
    settings = context.settings
    return DevicePolicy.choose(settings.cpu, settings.force_fp32, settings.force_fp16)
