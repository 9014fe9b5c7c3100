"""Nodes that enlarge pictures by a network."""

from typing import Annotated

from models.loading.upscaler import load_upscaler
from models.upscaler import Upscaler, upscaled
from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.library import library_of, reporter
from nodes.sockets import IMAGE
from nodes.spec import FileChoice, Socket, node

UPSCALE_MODEL = Annotated[Upscaler, Socket("UPSCALE_MODEL")]


def _fingerprint(model_name: str, context: Context) -> str:
    return fingerprint_of(context.paths.model_file("upscale_models", model_name))


@node("UpscaleModelLoader", name="Load Upscale Model", category="model/loaders", fingerprint=_fingerprint)
def upscale_model_loader(model_name: Annotated[str, FileChoice("upscale_models")], context: Context) -> UPSCALE_MODEL:
    """Loads a network that enlarges pictures: ESRGAN, or any that the package spandrel knows if it is installed."""
    path, report = context.paths.model_file("upscale_models", model_name), reporter(context)
    return library_of(context).other("upscaler", path, lambda policy: load_upscaler(path, policy, report))


@node("ImageUpscaleWithModel", name="Upscale Image (using Model)", category="image/upscaling")
def image_upscale_with_model(upscale_model: UPSCALE_MODEL, image: IMAGE, context: Context) -> IMAGE:
    """Enlarges pictures by a network, tile by tile."""
    return upscaled(upscale_model, image, lambda done, total: context.progress(done, total, None))
