"""Nodes that load all networks of a model: from one file, or from a folder."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from models.loading.load import Checkpoint
from models.sampling.model_sampling import v_sampling
from nodes.context import Context
from nodes.embeddings import with_embeddings
from nodes.files import fingerprint_of
from nodes.library import library_of, reporter
from nodes.sockets import CLIP, MODEL, VAE
from nodes.spec import FileChoice, node

CheckpointName = Annotated[str, FileChoice("checkpoints")]

Config = Literal[
    "anything_v3.yaml",
    "v1-inference.yaml",
    "v1-inference_clip_skip_2.yaml",
    "v1-inference_clip_skip_2_fp16.yaml",
    "v1-inference_fp16.yaml",
    "v1-inpainting-inference.yaml",
    "v2-inference-v.yaml",
    "v2-inference-v_fp32.yaml",
    "v2-inference.yaml",
    "v2-inference_fp32.yaml",
    "v2-inpainting-inference.yaml",
]


class Loaded(NamedTuple):
    """The networks of a checkpoint; the text encoder and the autoencoder are None if the file has none."""

    model: MODEL
    clip: CLIP
    vae: VAE


def _fingerprint(ckpt_name: str, context: Context) -> str:
    return fingerprint_of(context.paths.model_file("checkpoints", ckpt_name))


def _loaded(found: Checkpoint, context: Context) -> Loaded:
    return Loaded(found.model, with_embeddings(found.clip, context), found.vae)  # pyright: ignore[reportArgumentType]


@node("CheckpointLoaderSimple", name="Load Checkpoint", category="model/loaders", fingerprint=_fingerprint)
def checkpoint_loader_simple(ckpt_name: CheckpointName, context: Context) -> Loaded:
    """Loads a checkpoint: the UNet that denoises, the text encoder and the autoencoder."""
    path = context.paths.model_file("checkpoints", ckpt_name)
    return _loaded(library_of(context).checkpoint(path, reporter(context)), context)


def _fingerprint_with_config(config_name: str, ckpt_name: str, context: Context) -> str:
    return _fingerprint(ckpt_name, context)


@node(
    "CheckpointLoader",
    name="Load Checkpoint With Config (DEPRECATED)",
    category="model/loaders",
    deprecated=True,
    fingerprint=_fingerprint_with_config,
)
def checkpoint_loader(config_name: Config, ckpt_name: CheckpointName, context: Context) -> Loaded:
    """Loads a checkpoint. Of the configuration only its name counts: whether the network predicts velocity, and CLIP
    skip; all else is told from the file itself."""
    found = checkpoint_loader_simple(ckpt_name, context)
    model, clip = found.model, found.clip
    if "-v." in config_name or "-v_" in config_name:
        model = replace(model, sampling=v_sampling())
    if "clip_skip_2" in config_name and clip:
        clip = replace(clip, layer=-2)
    return Loaded(model, clip, found.vae)


def _folder_fingerprint(model_path: str, context: Context) -> str:
    return " ".join(map(fingerprint_of, _files_of(context.paths.diffusers_folder(model_path))))


def _files_of(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*/*")) if path.is_file()]


@node(
    "DiffusersLoader",
    name="Load Diffusers Model (DEPRECATED)",
    category="model/loaders",
    deprecated=True,
    fingerprint=_folder_fingerprint,
)
def diffusers_loader(model_path: Annotated[str, FileChoice("diffusers")], context: Context) -> Loaded:
    """Loads a folder as the diffusers library writes it, with a subfolder for each network."""
    folder = context.paths.diffusers_folder(model_path)
    return _loaded(library_of(context).folder(folder, reporter(context)), context)
