"""Nodes that save latents and read them."""

import json
from collections.abc import Mapping
from typing import Annotated, BinaryIO

from models.latent_files import latent_bytes, read_latent
from models.types import Latent
from nodes.context import Context
from nodes.files import NumberedFiles, expand_prefix, fingerprint_of
from nodes.sockets import LATENT
from nodes.spec import FileChoice, FilePrefix, Shown, Socket, node

STRIDE = 8
SHOWN_LATENT = Annotated[Shown, Socket("LATENT")]


@node("SaveLatent", name="Save Latent", category="model/latent", output=True, outputs=("samples",))
def save_latent(
    samples: LATENT, filename_prefix: Annotated[str, FilePrefix()] = "latents/ComfyUI", *, context: Context
) -> SHOWN_LATENT:
    """Saves a latent in the output folder, with the workflow in the file. Its noise mask is not saved."""
    height, width = (side * STRIDE for side in samples.samples.shape[-2:])
    files = NumberedFiles(context.paths.output, expand_prefix(filename_prefix, width, height))
    content = latent_bytes(samples.samples, _texts(context))

    def write(file: BinaryIO) -> None:
        file.write(content)

    name = files.write(".latent", write)
    shown = {"filename": name, "subfolder": files.subfolder, "type": "output"}
    return Shown(samples, {"latents": [shown]})


def _fingerprint(latent: str, context: Context) -> str:
    return fingerprint_of(context.paths.user_file(latent))


@node("LoadLatent", name="Load Latent", category="model/latent", fingerprint=_fingerprint)
def load_latent(latent: Annotated[str, FileChoice("input_latents")], context: Context) -> LATENT:
    """Reads a latent from the input folder."""
    return Latent(read_latent(context.paths.user_file(latent)))


def _texts(context: Context) -> Mapping[str, str]:
    if context.settings.disable_metadata:
        return {}
    texts = {"prompt": dict(context.graph), **context.extra_pnginfo}
    return {name: json.dumps(value) for name, value in texts.items()}
