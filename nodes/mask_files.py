"""The node that reads a mask from a picture."""

from typing import Annotated, Literal

import numpy as np
import torch
from PIL import Image, ImageOps

from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.image import NO_MASK_SIZE, transparency
from nodes.sockets import MASK
from nodes.spec import FileChoice, node

Channel = Literal["alpha", "red", "green", "blue"]


def _fingerprint(image: str, context: Context, channel: Channel) -> str:
    return fingerprint_of(context.paths.user_file(image))


@node("LoadImageMask", name="Load Image (as Mask)", category="image", fingerprint=_fingerprint)
def load_image_mask(
    image: Annotated[str, FileChoice("input", upload=True)], channel: Channel, context: Context
) -> MASK:
    """Reads a mask from the input folder: one color of a picture, or what is transparent in it."""
    with Image.open(context.paths.user_file(image)) as file:
        picture = ImageOps.exif_transpose(file)
        if channel == "alpha":
            mask = transparency(picture)
            return torch.zeros(1, *NO_MASK_SIZE) if mask is None else mask[None]
        if picture.mode.startswith("I;16"):
            return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 65535)[None]
        levels = np.asarray(picture.convert("RGB").getchannel(channel[0].upper()), dtype=np.float32)
        return torch.from_numpy(levels / 255)[None]
