"""Nodes that save models: whole checkpoints, single networks, and adapters extracted from differences."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import torch
from torch import Tensor

from models.saving import notes
from models.saving.keys import Tensors, of_role, text_tensors, unet_tensors, vae_tensors
from models.saving.writer import Stored, write
from models.weights.extraction import extracted
from nodes.context import Context
from nodes.files import NumberedFiles, expand_prefix
from nodes.library import reporter
from nodes.lora import LORA_MODEL
from nodes.sockets import CLIP, MODEL, VAE, present
from nodes.spec import FilePrefix, Help, Number, Shown, node

MODEL_KEYS, CLIP_KEYS = "diffusion_model.", "text_encoders."
"""How the keys of adapters for each network begin."""

Prefix = Annotated[str, FilePrefix()]


@node("CheckpointSave", name="Save Checkpoint", category="model/merging", output=True)
def checkpoint_save(
    *, model: MODEL, clip: CLIP, vae: VAE, filename_prefix: Prefix = "checkpoints/ComfyUI", context: Context
) -> Shown:
    """Saves a model, its text encoder and its autoencoder as one file in half precision, all changes included."""
    model, clip, vae = present(model, "model"), present(clip, "text encoder"), present(vae, "VAE")
    tensors = unet_tensors(model) | text_tensors(clip) | vae_tensors(vae)
    return _save(context, filename_prefix, tensors, lambda title: notes.of_model(model, title) | notes.of_vae(vae))


@node("ModelSave", category="model/merging", output=True)
def model_save(*, model: MODEL, filename_prefix: Prefix = "diffusion_models/ComfyUI", context: Context) -> Shown:
    """Saves a model without text encoder and autoencoder, all changes included."""
    model = present(model, "model")
    return _save(context, filename_prefix, unet_tensors(model), lambda title: notes.of_model(model, title))


@node("CLIPSave", category="model/merging", output=True)
def clip_save(*, clip: CLIP, filename_prefix: Prefix = "clip/ComfyUI", context: Context) -> Shown:
    """Saves text encoders, each in a file of its own, all changes included."""
    clip = present(clip, "text encoder")
    saved = [_save(context, f"{filename_prefix}_{use.role}", of_role(clip, use.role)) for use in clip.uses]
    return Shown(None, {"files": [file for one in saved for file in one.ui["files"]]})


@node("VAESave", category="model/merging", output=True)
def vae_save(*, vae: VAE, filename_prefix: Prefix = "vae/ComfyUI_vae", context: Context) -> Shown:
    """Saves an autoencoder."""
    vae = present(vae, "VAE")
    return _save(context, filename_prefix, vae_tensors(vae, ""), lambda title: notes.of_vae(vae))


@node("LoraSave", name="Extract and Save Lora", category="experimental", output=True, experimental=True)
def lora_save(
    *,
    filename_prefix: Prefix = "loras/ComfyUI_extracted_lora",
    rank: Annotated[int, Number(1, 4096), Help("How finely the difference is kept.", advanced=True)] = 8,
    lora_type: Annotated[Literal["standard", "full_diff"], Help(advanced=True)],
    bias_diff: Annotated[bool, Help("Keeps the differences of biases and norms too.", advanced=True)] = True,
    model_diff: MODEL | None = None,
    text_encoder_diff: CLIP | None = None,
    context: Context,
) -> Shown:
    """Saves the difference that ModelMergeSubtract or CLIPMergeSubtract gives as a LoRA."""
    if model_diff is None and text_encoder_diff is None:
        raise ValueError("nothing to extract from: wire a difference of two models, or of two text encoders")
    report = reporter(context)
    found: dict[str, Tensor] = {}
    if model_diff is not None:
        parts = extracted(model_diff.unet, model_diff.weights, rank, lora_type, bias_diff, report)
        found |= {MODEL_KEYS + name: tensor.half() for name, tensor in parts}
    if text_encoder_diff is not None:
        clip = text_encoder_diff
        parts = extracted(clip.encoder, clip.weights, rank, lora_type, bias_diff, report)
        found |= {CLIP_KEYS + _below_transformer(name): tensor.half() for name, tensor in parts}
    return _save(context, filename_prefix, {key: Stored.of(tensor) for key, tensor in found.items()})


def _below_transformer(name: str) -> str:
    """`clip_l.text_model…` as others name it: `clip_l.transformer.text_model…`."""
    role, _, rest = name.partition(".")
    return f"{role}.transformer.{rest}"


@node("SaveLoRA", name="Save LoRA Weights", category="model/merging", output=True, experimental=True)
def save_lora(
    *,
    lora: LORA_MODEL,
    prefix: Prefix = "loras/ComfyUI_trained_lora",
    steps: Annotated[int, Number(0, 1 << 31), Help("Becomes part of the file's name.")] | None = None,
    context: Context,
) -> Shown:
    """Saves adapters that are in memory, such as those that a node has just trained."""
    tensors = {
        key: Stored.of(tensor, tensor.dtype if tensor.is_floating_point() else torch.float32)
        for key, tensor in lora.items()
    }
    return _save(context, prefix if steps is None else f"{prefix}_{steps}_steps", tensors)


def _save(
    context: Context,
    prefix: str,
    tensors: Tensors,
    notes_for: Callable[[str], Mapping[str, str]] = lambda title: {},
) -> Shown:
    """Writes the next file of a prefix in the output folder, with its notes and the workflow; tells which it is."""
    files = NumberedFiles(context.paths.output, expand_prefix(prefix, 0, 0))
    title = f"{prefix.rpartition('/')[2]}_{files.next_number:05}"
    metadata = {**_workflow(context), **notes_for(title)}
    name = files.write(".safetensors", lambda file: write(file, tensors, metadata, reporter(context)))
    return Shown(None, {"files": [{"filename": name, "subfolder": files.subfolder, "type": "output"}]})


def _workflow(context: Context) -> dict[str, str]:
    if context.settings.disable_metadata:
        return {}
    return {name: json.dumps(value) for name, value in {"prompt": context.graph, **context.extra_pnginfo}.items()}
