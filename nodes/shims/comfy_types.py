"""`comfy.comfy_types`: names for types, which packs use in annotations and declarations."""

from enum import StrEnum
from typing import Any, TypedDict


class IO(StrEnum):
    """The types of values on wires."""

    STRING = "STRING"
    IMAGE = "IMAGE"
    MASK = "MASK"
    LATENT = "LATENT"
    BOOLEAN = "BOOLEAN"
    INT = "INT"
    FLOAT = "FLOAT"
    CONDITIONING = "CONDITIONING"
    SAMPLER = "SAMPLER"
    SIGMAS = "SIGMAS"
    GUIDER = "GUIDER"
    NOISE = "NOISE"
    CLIP = "CLIP"
    CONTROL_NET = "CONTROL_NET"
    VAE = "VAE"
    MODEL = "MODEL"
    LORA_MODEL = "LORA_MODEL"
    LOSS_MAP = "LOSS_MAP"
    CLIP_VISION = "CLIP_VISION"
    CLIP_VISION_OUTPUT = "CLIP_VISION_OUTPUT"
    STYLE_MODEL = "STYLE_MODEL"
    GLIGEN = "GLIGEN"
    UPSCALE_MODEL = "UPSCALE_MODEL"
    AUDIO = "AUDIO"
    VIDEO = "VIDEO"
    WEBCAM = "WEBCAM"
    POINT = "POINT"
    FACE_ANALYSIS = "FACE_ANALYSIS"
    BBOX = "BBOX"
    SEGS = "SEGS"
    ANY = "*"
    NUMBER = "FLOAT,INT"
    PRIMITIVE = "STRING,FLOAT,INT,BOOLEAN"

    def __ne__(self, other: object) -> bool:
        return self is not IO.ANY and str.__ne__(self, str(other)) and str(other) != "*"

    __eq__ = str.__eq__
    __hash__ = str.__hash__


class InputTypeOptions(TypedDict, total=False):
    """What an input says of itself beside its type."""

    default: Any
    tooltip: str
    lazy: bool
    forceInput: bool
    min: float
    max: float
    step: float
    multiline: bool


class HiddenInputTypeDict(TypedDict, total=False):
    """Hidden inputs by name."""

    unique_id: Any
    prompt: Any
    extra_pnginfo: Any
    dynprompt: Any


class InputTypeDict(TypedDict, total=False):
    """What INPUT_TYPES returns."""

    required: dict[str, Any]
    optional: dict[str, Any]
    hidden: dict[str, Any]


class FileLocator(TypedDict):
    """Where a file lies that the editor shows."""

    filename: str
    subfolder: str
    type: str


class ComfyNodeABC:
    """A base that classes of nodes may have, for their annotations' sake."""

    DESCRIPTION: str = ""
    CATEGORY: str = ""
    EXPERIMENTAL: bool = False
    DEPRECATED: bool = False


class CheckLazyMixin:
    """Asks for every lazy input that is wired."""

    def check_lazy_status(self, **kwargs: Any) -> list[str]:
        """The names of the inputs that are still missing."""
        return [name for name, value in kwargs.items() if value is None]
