"""Nodes that load one network each: a UNet, text encoders, an autoencoder."""

from typing import Annotated, Literal

import torch

from models.taesd import SCALES
from nodes.context import Context
from nodes.embeddings import with_embeddings
from nodes.files import fingerprint_of
from nodes.library import library_of, reporter
from nodes.sockets import CLIP, MODEL, VAE, present
from nodes.spec import FileChoice, Help, node

TextEncoderName = Annotated[str, FileChoice("text_encoders")]

OneEncoderType = Literal[
    "stable_diffusion", "stable_cascade", "sd3", "stable_audio", "mochi", "ltxv", "pixart", "cosmos", "lumina2", "wan",
    "hidream", "chroma", "ace", "omnigen2", "qwen_image", "hunyuan_image", "flux2", "ovis", "longcat_image",
    "cogvideox", "lens", "pixeldit", "ideogram4", "boogu", "krea2", "joyimage", "mage", "minimax",
]  # fmt: skip
TwoEncodersType = Literal[
    "sdxl", "sd3", "flux", "hunyuan_video", "hidream", "hunyuan_image", "hunyuan_video_15", "kandinsky5",
    "kandinsky5_image", "ltxv", "newbie", "ace",
]  # fmt: skip

Device = Annotated[Literal["default", "cpu"], Help("cpu keeps the text encoder off the graphics card", advanced=True)]

WeightType = Literal["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"]
STORED = {
    "default": None,
    "fp8_e4m3fn": torch.float8_e4m3fn,
    "fp8_e4m3fn_fast": torch.float8_e4m3fn,
    "fp8_e5m2": torch.float8_e5m2,
}


class UnsupportedTypeError(ValueError):
    """A kind of text encoder that no family which can be loaded listens to."""


def _of_unet(unet_name: str, context: Context, **others: object) -> str:
    return fingerprint_of(context.paths.model_file("diffusion_models", unet_name))


@node("UNETLoader", name="Load Diffusion Model", category="model/loaders", fingerprint=_of_unet)
def unet_loader(
    unet_name: Annotated[str, FileChoice("diffusion_models")],
    weight_dtype: Annotated[
        WeightType, Help("fp8 rounds the weights to eight bits; they still compute in the usual precision", True)
    ],
    context: Context,
) -> MODEL:
    """Loads a UNet alone, in the layout of checkpoints or of the diffusers library."""
    path = context.paths.model_file("diffusion_models", unet_name)
    return library_of(context).unet(path, STORED[weight_dtype], reporter(context))


def _of_clip(clip_name: str, context: Context, **others: object) -> str:
    return fingerprint_of(context.paths.model_file("text_encoders", clip_name))


@node("CLIPLoader", name="Load CLIP", category="model/loaders", fingerprint=_of_clip)
def clip_loader(
    clip_name: TextEncoderName, type: OneEncoderType, context: Context, device: Device | None = None
) -> CLIP:
    """Loads a text encoder: CLIP-L for Stable Diffusion 1.x, OpenCLIP-H for 2.x, OpenCLIP-bigG for the SDXL refiner."""
    return _text_encoders([clip_name], type, "stable_diffusion", device, context)


def _of_clips(clip_name1: str, clip_name2: str, context: Context, **others: object) -> str:
    paths = [context.paths.model_file("text_encoders", name) for name in (clip_name1, clip_name2)]
    return " ".join(map(fingerprint_of, paths))


@node("DualCLIPLoader", name="Load CLIP (Dual)", category="model/loaders", fingerprint=_of_clips)
def dual_clip_loader(
    clip_name1: TextEncoderName,
    clip_name2: TextEncoderName,
    type: TwoEncodersType,
    context: Context,
    device: Device | None = None,
) -> CLIP:
    """Loads the two text encoders of Stable Diffusion XL, CLIP-L and OpenCLIP-bigG, in any order."""
    return _text_encoders([clip_name1, clip_name2], type, "sdxl", device, context)


def _text_encoders(names: list[str], type: str, supported: str, device: str | None, context: Context) -> CLIP:
    if type != supported:
        raise UnsupportedTypeError(f"text encoders of the type {type!r} cannot be loaded, only {supported!r}")
    paths = [context.paths.model_file("text_encoders", name) for name in names]
    found = library_of(context).text_encoders(paths, on_cpu=device == "cpu", report=reporter(context))
    return present(with_embeddings(found, context), "text encoder")


def _of_vae(vae_name: str, context: Context) -> str:
    tiny = context.paths.tiny_autoencoder(vae_name)
    files = tiny or (context.paths.model_file("vae", vae_name),)
    return " ".join(map(fingerprint_of, files))


@node("VAELoader", name="Load VAE", category="model/loaders", fingerprint=_of_vae)
def vae_loader(vae_name: Annotated[str, FileChoice("vae")], context: Context) -> VAE:
    """Loads an autoencoder alone, in the layout of checkpoints or of the diffusers library; or TAESD, a tiny one."""
    tiny = context.paths.tiny_autoencoder(vae_name)
    if tiny is not None:
        return library_of(context).tiny_autoencoder(*tiny, scale=SCALES[vae_name], report=reporter(context))
    return library_of(context).autoencoder(context.paths.model_file("vae", vae_name), reporter(context))
