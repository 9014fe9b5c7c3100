"""Nodes that read, save and show pictures."""

import json
import os
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
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

NO_MASK_SIZE = 64, 64
"""Of the empty mask that a picture without transparency comes with."""

SHOWN_IMAGE = Annotated[Shown, Socket("IMAGE")]
"""Pictures handed on, together with the files that the editor shows on the node."""
SHOWN_MASK = Annotated[Shown, Socket("MASK")]


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
        frames = [ImageOps.exif_transpose(one) for one in _frames(file)]
    same_size = [frame for frame in frames if frame.size == frames[0].size]
    masks = [transparency(frame) for frame in same_size]
    if all(mask is None for mask in masks):
        mask = torch.zeros(len(masks), *NO_MASK_SIZE)
    else:
        opaque = torch.zeros(frames[0].height, frames[0].width)
        mask = torch.stack([opaque if one is None else one for one in masks])
    return ImageAndMask(torch.stack([_colors(frame) for frame in same_size]), mask)


def _frames(file: Image.Image) -> Iterator[Image.Image]:
    """Yields the frames of a file; a camera's MPO holds other versions of one picture, so only its first counts."""
    if file.format == "MPO":
        yield file
    else:
        yield from ImageSequence.Iterator(file)


def _colors(picture: Image.Image) -> Tensor:
    """The colors (h, w, 3) of a picture in 0..1."""
    if picture.mode.startswith("I"):
        gray = np.asarray(picture, dtype=np.float32) / (65535 if "16" in picture.mode else 255)
        return torch.from_numpy(np.repeat(gray[:, :, None], 3, axis=2).clip(0, 1))
    return torch.from_numpy(np.asarray(picture.convert("RGB"), dtype=np.float32) / 255)


def transparency(picture: Image.Image) -> Tensor | None:
    """How transparent each pixel (h, w) is, 1 being fully so; None for a picture that cannot be."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return None
    alpha = np.asarray(picture.convert("RGBA").getchannel("A"), dtype=np.float32) / 255
    return 1 - torch.from_numpy(alpha)


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
    return saved(images, "output", filename_prefix, SAVED_COMPRESSION, context)


@node("PreviewImage", name="Preview Image", category="image", output=True, outputs=("images",))
def preview_image(images: IMAGE, context: Context) -> SHOWN_IMAGE:
    """Shows pictures without keeping them: they lie in the temporary folder, which each start empties."""
    return shown_for_now(images, context)


@node("SaveImageWebsocket", name="Save Image (Websocket)", category="image", output=True, cached=False)
def save_image_websocket(images: IMAGE, context: Context) -> None:
    """Sends pictures to the client that has queued them, as PNG, and keeps none."""
    for done, image in enumerate(images, start=1):
        file = BytesIO()
        _write_png(as_picture(image), None, SAVED_COMPRESSION, file)
        context.send_picture(file.getvalue())
        context.progress(done, len(images), None)


@node("MaskPreview", name="Preview Mask", category="image/mask", output=True, outputs=("mask",))
def mask_preview(mask: MASK, context: Context) -> SHOWN_MASK:
    """Shows masks as gray pictures without keeping them."""
    gray = mask.reshape(-1, *mask.shape[-2:], 1).expand(-1, -1, -1, 3)
    return shown_for_now(gray, context)._replace(result=mask)


def shown_for_now(images: Tensor, context: Context) -> Shown:
    """Pictures in the temporary folder."""
    return saved(images, "temp", f"preview_{os.urandom(4).hex()}", PREVIEW_COMPRESSION, context)


def saved(images: Tensor, kind: FileKind, prefix: str, compression: int, context: Context) -> Shown:
    """Writes each picture (h, w, c) of a batch as a PNG file with the workflow in it."""
    return saved_in(context.paths.root(kind), images, kind, prefix, compression, context)


def saved_in(folder: Path, images: Tensor, kind: FileKind, prefix: str, compression: int, context: Context) -> Shown:
    """Does the same in a folder, from which clients are shown the files as those of the kind."""
    height, width = images.shape[1:3]
    files = NumberedFiles(folder, expand_prefix(prefix, width, height), lasting=kind != "temp")
    metadata = png_texts(context)
    shown: list[dict[str, str]] = []
    for number, image in enumerate(images):
        save = partial(_write_png, as_picture(image), metadata, compression)
        shown.append({"filename": files.write(".png", save, number), "subfolder": files.subfolder, "type": kind})
    return Shown(images, {"images": shown})


def as_picture(image: Tensor) -> Image.Image:
    """A picture (h, w, c) in 8 bits. Values are cut off, not rounded, as those who read these workflows expect."""
    return Image.fromarray((image.cpu().float().numpy() * 255).clip(0, 255).astype(np.uint8))


def _write_png(picture: Image.Image, metadata: PngInfo | None, compression: int, file: BinaryIO) -> None:
    picture.save(file, format="PNG", pnginfo=metadata, compress_level=compression)


def png_texts(context: Context) -> PngInfo | None:
    """Returns the text chunks that let a picture be opened as a workflow, or None if people do not want them."""
    if context.settings.disable_metadata:
        return None
    metadata = PngInfo()
    metadata.add_text("prompt", json.dumps(dict(context.graph)))
    for key, value in context.extra_pnginfo.items():
        metadata.add_text(key, json.dumps(value))
    return metadata
