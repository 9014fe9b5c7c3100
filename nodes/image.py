"""Nodes that read, save and show pictures."""

import json
import os
from collections.abc import Iterator
from functools import partial
from typing import Annotated, BinaryIO, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps, ImageSequence
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from nodes.context import Context
from nodes.files import NumberedFiles, expand_prefix, fingerprint_of
from nodes.paths import FileKind
from nodes.sockets import IMAGE, MASK
from nodes.spec import FileChoice, FilePrefix, Help, Shown, Socket, node

SAVED_COMPRESSION, PREVIEW_COMPRESSION = 4, 1

SHOWN_IMAGE = Annotated[Shown, Socket("IMAGE")]
"""Pictures handed on, together with the files that the editor shows on the node."""


class ImageAndMask(NamedTuple):
    """A picture and where it is transparent (1 is fully so)."""

    image: IMAGE
    mask: MASK


def _fingerprint(context: Context, image: str) -> str:
    return fingerprint_of(context.paths.user_file(image))


@node("LoadImage", name="Load Image", category="image", fingerprint=_fingerprint)
def load_image(image: Annotated[str, FileChoice("input", upload=True)], context: Context) -> ImageAndMask:
    """Reads a picture from the input folder; an animation becomes a batch. The mask is what is transparent."""
    with Image.open(context.paths.user_file(image)) as file:
        frames = [_frame(one) for one in _frames(file)]
    same_size = [frame for frame in frames if frame.image.shape == frames[0].image.shape]
    return ImageAndMask(*(torch.cat(parts) for parts in zip(*same_size, strict=True)))


def _frames(file: Image.Image) -> Iterator[Image.Image]:
    """Yields the frames of a file; a camera's MPO holds other versions of one picture, so only its first counts."""
    if file.format == "MPO":
        yield file
    else:
        yield from ImageSequence.Iterator(file)


def _frame(frame: Image.Image) -> ImageAndMask:
    """Returns image (1, h, w, 3) and mask (1, h, w), or a mask of 64 × 64 zeros if there is no transparency."""
    upright = ImageOps.exif_transpose(frame)
    if upright.mode.startswith("I"):
        gray = np.asarray(upright, dtype=np.float32) / (65535 if "16" in upright.mode else 255)
        pixels = np.repeat(gray[:, :, None], 3, axis=2).clip(0, 1)
    else:
        pixels = np.asarray(upright.convert("RGB"), dtype=np.float32) / 255
    if "A" in upright.getbands() or "transparency" in upright.info:
        alpha = np.asarray(upright.convert("RGBA").getchannel("A"), dtype=np.float32) / 255
        mask = 1 - torch.from_numpy(alpha)
    else:
        mask = torch.zeros(64, 64)
    return ImageAndMask(torch.from_numpy(pixels)[None], mask[None])


@node("SaveImage", name="Save Image", category="image", output=True, outputs=("images",))
def save_image(
    *,
    images: IMAGE,
    filename_prefix: Annotated[
        str, FilePrefix(), Help("May hold subfolders and %width%, %height%, %year%, …")
    ] = "ComfyUI",
    context: Context,
) -> SHOWN_IMAGE:
    """Saves pictures as PNG in the output folder, with the workflow in each file."""
    return _saved(images, "output", filename_prefix, SAVED_COMPRESSION, context)


@node("PreviewImage", name="Preview Image", category="image", output=True, outputs=("images",))
def preview_image(images: IMAGE, context: Context) -> SHOWN_IMAGE:
    """Shows pictures without keeping them: they lie in the temporary folder, which each start empties."""
    return _saved(images, "temp", f"preview_{os.urandom(4).hex()}", PREVIEW_COMPRESSION, context)


def _saved(images: Tensor, kind: FileKind, prefix: str, compression: int, context: Context) -> Shown:
    height, width = images.shape[1:3]
    files = NumberedFiles(context.paths.root(kind), expand_prefix(prefix, width, height), lasting=kind != "temp")
    metadata = _metadata(context)
    shown: list[dict[str, str]] = []
    for number, image in enumerate(images):
        # Values are cut off, not rounded, as every program that reads these workflows expects.
        pixels = (image.cpu().float().numpy() * 255).clip(0, 255).astype(np.uint8)
        save = partial(_write_png, Image.fromarray(pixels), metadata, compression)
        shown.append({"filename": files.write(".png", save, number), "subfolder": files.subfolder, "type": kind})
    return Shown(images, {"images": shown})


def _write_png(picture: Image.Image, metadata: PngInfo | None, compression: int, file: BinaryIO) -> None:
    picture.save(file, format="PNG", pnginfo=metadata, compress_level=compression)


def _metadata(context: Context) -> PngInfo | None:
    """Returns the text chunks that let a picture be opened as a workflow, or None if people do not want them."""
    if context.settings.disable_metadata:
        return None
    metadata = PngInfo()
    metadata.add_text("prompt", json.dumps(dict(context.graph)))
    for key, value in context.extra_pnginfo.items():
        metadata.add_text(key, json.dumps(value))
    return metadata
