"""`comfy_api.input`, `.input_impl` and `.util`: pictures, and the names of films and sounds, which Weft has not."""

from abc import ABC
from enum import StrEnum
from typing import TypedDict

from torch import Tensor

from nodes.shims.absent import absent_class


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


INPUTS = {
    "ImageInput": Tensor,
    "MaskInput": Tensor,
    "LatentInput": LatentInput,
    "AudioInput": AudioInput,
    "VideoInput": VideoInput,
}
"""Types of values that nodes are given."""

MAKERS = {name: absent_class("comfy_api.input_impl", name) for name in ("VideoFromFile", "VideoFromComponents")}
"""What makes films."""

SHAPES = {
    "VideoContainer": VideoContainer,
    "VideoCodec": VideoCodec,
    "VideoComponents": absent_class("comfy_api.util", "VideoComponents"),
}
"""What films are made of."""
