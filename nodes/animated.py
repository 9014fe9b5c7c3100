"""Nodes that save pictures as the frames of an animation."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, BinaryIO, Literal

from PIL import Image
from torch import Tensor

from nodes.context import Context
from nodes.files import NumberedFiles, expand_prefix
from nodes.image import SHOWN_IMAGE, as_picture, png_texts
from nodes.paths import FileKind
from nodes.sockets import IMAGE
from nodes.spec import FilePrefix, Help, Number, Shown, node

EXIF_MODEL = 0x0110
"""The field that holds the graph; what else is saved with it goes into the fields below this one."""

METHODS = {"default": 4, "fastest": 0, "slowest": 6}
"""How much work WebP's encoder does, in its own measure."""

Prefix = Annotated[str, FilePrefix()]
FramesPerSecond = Annotated[float, Number(0.01, 1000.0, step=0.01)]


@node("SaveAnimatedWEBP", name="Save Animated WEBP", category="image", output=True, outputs=("images",))
def save_animated_webp(
    *,
    images: IMAGE,
    filename_prefix: Prefix = "ComfyUI",
    fps: FramesPerSecond = 6.0,
    lossless: bool = True,
    quality: Annotated[int, Number(0, 100), Help("Of the picture, or of the compression if it is lossless")] = 80,
    method: Literal["default", "fastest", "slowest"],
    context: Context,
) -> SHOWN_IMAGE:
    """Saves pictures as the frames of an animated WebP file, with the workflow in it."""
    options = {"lossless": lossless, "quality": quality, "method": METHODS[method]}
    return write_webp(images, "output", filename_prefix, fps, options, context)


@node("SaveAnimatedPNG", name="Save Animated PNG", category="image", output=True, outputs=("images",))
def save_animated_png(
    images: IMAGE,
    filename_prefix: Prefix = "ComfyUI",
    fps: FramesPerSecond = 6.0,
    compress_level: Annotated[int, Number(0, 9), Help(advanced=True)] = 4,
    *,
    context: Context,
) -> SHOWN_IMAGE:
    """Saves pictures as the frames of an animated PNG file, with the workflow in it."""
    return write_png(images, "output", filename_prefix, fps, compress_level, context)


def write_webp(
    images: Tensor, kind: FileKind, prefix: str, fps: float, options: Mapping[str, Any], context: Context
) -> Shown:
    """Writes the pictures as one WebP file; `options` are those of its encoder."""
    return _animated(images, kind, prefix, ".webp", fps, {**options, "exif": _exif(context)}, context)


def write_png(images: Tensor, kind: FileKind, prefix: str, fps: float, compress_level: int, context: Context) -> Shown:
    """Writes the pictures as one PNG file."""
    options = {"pnginfo": png_texts(context), "compress_level": compress_level}
    return _animated(images, kind, prefix, ".png", fps, options, context)


def _animated(
    images: Tensor, kind: FileKind, prefix: str, suffix: str, fps: float, options: dict[str, Any], context: Context
) -> Shown:
    height, width = images.shape[1:3]
    files = NumberedFiles(context.paths.root(kind), expand_prefix(prefix, width, height), lasting=kind != "temp")
    first, *others = (as_picture(image) for image in images)
    save = _saver(first, others, int(1000 / fps), {**options, "format": suffix.removeprefix(".").upper()})
    shown = {"filename": files.write(suffix, save), "subfolder": files.subfolder, "type": kind}
    return Shown(images, {"images": [shown], "animated": [True]})


def _saver(
    first: Image.Image, others: list[Image.Image], duration: int, options: dict[str, Any]
) -> Callable[[BinaryIO], None]:
    """Returns what writes the frames into a file, each shown for so many milliseconds."""
    return lambda file: first.save(file, save_all=True, append_images=others, duration=duration, **options)


def _exif(context: Context) -> Image.Exif:
    """Graph and workflow in fields for camera names, where WebP files of these programs have them."""
    exif = Image.Exif()
    if not context.settings.disable_metadata:
        texts = {"prompt": dict(context.graph), **context.extra_pnginfo}
        for place, (name, value) in enumerate(texts.items()):
            exif[EXIF_MODEL - place] = f"{name}:{json.dumps(value)}"
    return exif
