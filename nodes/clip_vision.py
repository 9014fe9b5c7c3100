"""Nodes that show pictures to CLIP, and take what it sees as a prompt."""

from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

import torch

from models.conditioning import ImagePrompt
from models.loading.adapters import load_vision
from models.memory import explained_out_of_memory
from models.vision import Seen, prepared
from nodes.checkpoint import CheckpointName, checkpoint_loader_simple
from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.library import library_of, reporter
from nodes.sockets import CLIP, CLIP_VISION, CLIP_VISION_OUTPUT, CONDITIONING, IMAGE, MODEL, VAE
from nodes.spec import FileChoice, Help, Number, node


def _fingerprint(clip_name: str, context: Context) -> str:
    return fingerprint_of(context.paths.model_file("clip_vision", clip_name))


@node("CLIPVisionLoader", name="Load CLIP Vision", category="model/loaders", fingerprint=_fingerprint)
def clip_vision_loader(clip_name: Annotated[str, FileChoice("clip_vision")], context: Context) -> CLIP_VISION:
    """Loads the side of a CLIP that looks at pictures: ViT-L, H or G."""
    path, report = context.paths.model_file("clip_vision", clip_name), reporter(context)
    return library_of(context).other("vision", path, lambda policy: load_vision(path, policy, report))


class LoadedUnclip(NamedTuple):
    """The networks of an unCLIP checkpoint."""

    model: MODEL
    clip: CLIP
    vae: VAE
    clip_vision: CLIP_VISION


def _checkpoint_fingerprint(ckpt_name: str, context: Context) -> str:
    return fingerprint_of(context.paths.model_file("checkpoints", ckpt_name))


@node(
    "unCLIPCheckpointLoader",
    name="Load unCLIP Checkpoint",
    category="model/loaders",
    fingerprint=_checkpoint_fingerprint,
)
def unclip_checkpoint_loader(ckpt_name: CheckpointName, context: Context) -> LoadedUnclip:
    """Loads a checkpoint that takes pictures as prompts, with the CLIP vision encoder in it."""
    found = checkpoint_loader_simple(ckpt_name, context)
    path = context.paths.model_file("checkpoints", ckpt_name)
    vision = library_of(context).other("vision", path, lambda policy: load_vision(path, policy))
    return LoadedUnclip(*found, vision)


@node("CLIPVisionEncode", name="CLIP Vision Encode", category="model/conditioning")
def clip_vision_encode(
    clip_vision: CLIP_VISION,
    image: IMAGE,
    crop: Annotated[
        Literal["center", "none"], Help("center cuts the picture to a square, none squeezes it", late=True)
    ] = "center",
) -> CLIP_VISION_OUTPUT:
    """Shows pictures to CLIP."""
    with torch.no_grad(), explained_out_of_memory("looking at the picture"), clip_vision.on_device() as network:
        pixels = prepared(image.to(clip_vision.device, torch.float32), network.config.side, crop == "center")
        seen = network(pixels.to(clip_vision.dtype))
    found = (seen.image_embeds, seen.last_hidden_state, seen.penultimate_hidden_states)
    return Seen(*(tensor.float().cpu() for tensor in found))


@node("unCLIPConditioning", category="model/conditioning")
def unclip_conditioning(
    conditioning: CONDITIONING,
    clip_vision_output: CLIP_VISION_OUTPUT,
    strength: Annotated[float, Number(-10.0, 10.0, step=0.01), Help("0 leaves the prompt as it is")] = 1.0,
    noise_augmentation: Annotated[
        float, Number(0.0, 1.0, step=0.01), Help("How far the result may be from the picture: 1 is any picture")
    ] = 0.0,
) -> CONDITIONING:
    """Adds a picture to the prompt, for models that take pictures as prompts (unCLIP)."""
    if strength == 0:
        return conditioning
    image = ImagePrompt(clip_vision_output.image_embeds, strength, noise_augmentation)
    return tuple(replace(cond, images=(*cond.images, image)) for cond in conditioning)
