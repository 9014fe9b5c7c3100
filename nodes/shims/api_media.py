"""`comfy_api.input`, `.input_impl` and `.util`: pictures, and the names of films and sounds, which Weft has not."""

from abc import ABC
from enum import StrEnum
from typing import Any, NoReturn, TypedDict

from torch import Tensor

from nodes.v1.runtime import NotOfferedError


class LatentInput(TypedDict, total=False):
    """A latent as packs write it."""

    samples: Tensor
    noise_mask: Tensor


class AudioInput(TypedDict):
    """A sound: (b, channels, samples), and samples in a second."""

    waveform: Tensor
    sample_rate: int


class VideoInput(ABC):  # noqa: B024 - packs ask whether a value is one
    """A film. None of Weft's nodes gives one; a pack may derive its own."""


class VideoContainer(StrEnum):
    """A kind of file for films."""

    AUTO = "auto"
    MP4 = "mp4"
    MKV = "mkv"
    WEBM = "webm"


class VideoCodec(StrEnum):
    """How the pictures of a film are packed."""

    AUTO = "auto"
    H264 = "h264"
    AV1 = "av1"


def _not_offered(name: str, base: type = object) -> type:
    """A class that can be named, asked for and derived from, and not made."""

    def refuse(self: Any, *arguments: Any, **options: Any) -> NoReturn:
        raise NotOfferedError(f"comfy_api's {name}", "Weft has no films")

    return type(name, (base,), {"__init__": refuse, "__doc__": "Not offered."})


INPUTS = {
    "ImageInput": Tensor,
    "MaskInput": Tensor,
    "LatentInput": LatentInput,
    "AudioInput": AudioInput,
    "VideoInput": VideoInput,
}
"""Types of values that nodes are given."""

MAKERS = {name: _not_offered(name, VideoInput) for name in ("VideoFromFile", "VideoFromComponents")}
"""What makes films."""

SHAPES = {
    "VideoContainer": VideoContainer,
    "VideoCodec": VideoCodec,
    "VideoComponents": _not_offered("VideoComponents"),
}
"""What films are made of."""
