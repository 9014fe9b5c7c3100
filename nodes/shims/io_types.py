"""`comfy_api.latest.io`: types of values, each with the classes that declare inputs and outputs of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar


class NumberDisplay(StrEnum):
    """How a number is drawn."""

    number = "number"
    slider = "slider"
    gradient_slider = "gradientslider"


class ControlAfterGenerate(StrEnum):
    """What becomes of a number once a job is queued."""

    fixed = "fixed"
    increment = "increment"
    decrement = "decrement"
    randomize = "randomize"


class FolderType(StrEnum):
    """A kind of file."""

    input = "input"
    output = "output"
    temp = "temp"


class UploadType(StrEnum):
    """What can be uploaded at a choice of files."""

    image = "image_upload"
    audio = "audio_upload"
    video = "video_upload"
    model = "file_upload"


@dataclass
class RemoteOptions:
    """Where a client finds the words of a choice that the server does not list."""

    route: str
    refresh_button: bool
    control_after_refresh: str = "first"
    timeout: int | None = None
    max_retries: int | None = None
    refresh: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """What is said of it, as INPUT_TYPES writes it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


OPTIONS = {
    "force_input": "forceInput",
    "dynamic_prompts": "dynamicPrompts",
    "raw_link": "rawLink",
    "display_mode": "display",
    "widget_type": "widgetType",
}
"""Names of options as INPUT_TYPES spells them, where they differ."""

NO_OPTIONS = frozenset({"id", "optional", "extra_dict"})
"""Attributes of an input that are told elsewhere."""


class Input:
    """The declaration of one input, by parameters in ComfyUI's order. All that it says are attributes as well."""

    io_type: ClassVar[str] = "*"
    implied: ClassVar[Mapping[str, Any]] = {}

    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        lazy: bool | None = None,
        extra_dict: Mapping[str, Any] | None = None,
        raw_link: bool | None = None,
        advanced: bool | None = None,
        **options: Any,
    ) -> None:
        self.id = id
        self.display_name = display_name
        self.optional = optional
        self.tooltip = tooltip
        self.lazy = lazy
        self.extra_dict = dict(extra_dict or {})
        self.raw_link = raw_link
        self.advanced = advanced
        vars(self).update(options)

    def as_dict(self) -> dict[str, Any]:
        """What is said of the input beside its type, as INPUT_TYPES writes it."""
        told = {
            OPTIONS.get(name, name): _spelled(value)
            for name, value in vars(self).items()
            if value is not None and name not in NO_OPTIONS and not name.startswith("_")
        }
        return {**self.implied, **told, **self.extra_dict}

    @property
    def spelled(self) -> tuple[Any, dict[str, Any]]:
        """The input as INPUT_TYPES writes it."""
        return self.get_io_type(), self.as_dict()

    def get_io_type(self) -> str:
        """The type on the wire."""
        return self.io_type


def _spelled(value: Any) -> Any:
    return value.as_dict() if hasattr(value, "as_dict") else value


def grouped(inputs: Iterable[Input]) -> dict[str, dict[str, Any]]:
    """Inputs as INPUT_TYPES writes them, the optional ones apart if there are any."""
    groups: dict[str, dict[str, Any]] = {"required": {}}
    for one in inputs:
        groups.setdefault("optional" if one.optional else "required", {})[one.id] = one.spelled
    return groups


class WidgetInput(Input):
    """An input whose value may be typed in; its parameters are in ComfyUI's order too."""

    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        lazy: bool | None = None,
        default: Any = None,
        socketless: bool | None = None,
        widget_type: str | None = None,
        force_input: bool | None = None,
        extra_dict: Mapping[str, Any] | None = None,
        raw_link: bool | None = None,
        advanced: bool | None = None,
        **options: Any,
    ) -> None:
        super().__init__(id, display_name, optional, tooltip, lazy, extra_dict, raw_link, advanced, **options)
        self.default = default
        self.socketless = socketless
        self.widget_type = widget_type
        self.force_input = force_input


class StringInput(WidgetInput):
    """A text."""

    implied: ClassVar[Mapping[str, Any]] = {"multiline": False}


class ComboInput(WidgetInput):
    """A choice of words, files among them."""

    implied: ClassVar[Mapping[str, Any]] = {"multiselect": False}

    def __init__(self, id: str, options: Any = None, display_name: str | None = None, **more: Any) -> None:
        upload = more.pop("upload", None)
        super().__init__(id, display_name, **more)
        self.options = None if options is None else [getattr(one, "value", one) for one in options]
        if upload is not None:
            self.extra_dict[str(upload.value)] = True


class MultiComboInput(ComboInput):
    """A choice of several words."""

    implied: ClassVar[Mapping[str, Any]] = {"multiselect": True}


class ColorInput(WidgetInput):
    """A color as #rrggbb."""

    implied: ClassVar[Mapping[str, Any]] = {"default": "#ffffff", "socketless": True}


class BoxInput(WidgetInput):
    """A part of a picture."""

    implied: ClassVar[Mapping[str, Any]] = {
        "default": {"x": 0, "y": 0, "width": 512, "height": 512},
        "socketless": True,
    }


class CurveInput(WidgetInput):
    """A line through points."""

    implied: ClassVar[Mapping[str, Any]] = {"default": [[0.0, 0.0], [1.0, 1.0]], "socketless": True}


class DrawnInput(WidgetInput):
    """Something that only ComfyUI's editor draws."""

    implied: ClassVar[Mapping[str, Any]] = {"socketless": True}


class Output:
    """The declaration of one output."""

    io_type: ClassVar[str] = "*"

    def __init__(
        self,
        id: str | None = None,
        display_name: str | None = None,
        tooltip: str | None = None,
        is_output_list: bool = False,
        **options: Any,
    ) -> None:
        self.id = id
        self.display_name = display_name
        self.tooltip = tooltip
        self.is_output_list = is_output_list

    def get_io_type(self) -> str:
        """The type on the wire."""
        return self.io_type


AnyInput = type[Input]
AnyOutput = type[Output]


class ComfyType:
    """A type of values. `Type` is what annotations say of it."""

    io_type: ClassVar[str] = "*"
    Type: ClassVar[Any] = Any
    Input: ClassVar[AnyInput] = Input
    Output: ClassVar[AnyOutput] = Output


def type_of(io_type: str, input_class: type[Input] = Input, base: type = ComfyType) -> Any:
    """A type of values of this name on the wire."""
    made = {"io_type": io_type, "Input": type("Input", (input_class,), {"io_type": io_type})}
    made["Output"] = type("Output", (Output,), {"io_type": io_type})
    return type(io_type, (base,), made)


def comfytype(io_type: str, **options: Any) -> Callable[[type], Any]:
    """Declares a class to be a type of values."""

    def declare(declared: type) -> Any:
        found = vars(declared)
        made = type_of(io_type)
        for name in ("Input", "Output"):
            if isinstance(found.get(name), type):
                found[name].io_type = io_type
            else:
                setattr(declared, name, getattr(made, name))
        declared.io_type = io_type  # pyright: ignore[reportAttributeAccessIssue]
        return declared

    return declare


SOCKETS = {
    "AnyType": "*", "Image": "IMAGE", "Mask": "MASK", "Latent": "LATENT", "Model": "MODEL", "Clip": "CLIP",
    "Vae": "VAE", "Conditioning": "CONDITIONING", "ControlNet": "CONTROL_NET", "ClipVision": "CLIP_VISION",
    "ClipVisionOutput": "CLIP_VISION_OUTPUT", "StyleModel": "STYLE_MODEL", "Gligen": "GLIGEN",
    "UpscaleModel": "UPSCALE_MODEL", "LatentUpscaleModel": "LATENT_UPSCALE_MODEL", "Sampler": "SAMPLER",
    "Sigmas": "SIGMAS", "Noise": "NOISE", "Guider": "GUIDER", "LoraModel": "LORA_MODEL", "LossMap": "LOSS_MAP",
    "LatentOperation": "LATENT_OPERATION", "Hooks": "HOOKS", "HookKeyframes": "HOOK_KEYFRAMES",
    "Photomaker": "PHOTOMAKER", "TimestepsRange": "TIMESTEPS_RANGE", "ModelPatch": "MODEL_PATCH", "Audio": "AUDIO",
    "AudioEncoder": "AUDIO_ENCODER", "AudioEncoderOutput": "AUDIO_ENCODER_OUTPUT", "Video": "VIDEO", "SVG": "SVG",
    "Mesh": "MESH", "Voxel": "VOXEL", "Splat": "SPLAT", "Load3D": "LOAD_3D", "Load3DCamera": "LOAD3D_CAMERA",
    "Load3DAnimation": "LOAD_3D_ANIMATION", "File3DAny": "FILE_3D", "File3DGLB": "FILE_3D_GLB",
    "File3DGLTF": "FILE_3D_GLTF", "File3DFBX": "FILE_3D_FBX", "File3DOBJ": "FILE_3D_OBJ", "File3DSTL": "FILE_3D_STL",
    "File3DUSDZ": "FILE_3D_USDZ", "Webcam": "WEBCAM", "Point": "POINT", "FaceAnalysis": "FACE_ANALYSIS",
    "BBOX": "BBOX", "SEGS": "SEGS", "FlowControl": "FLOW_CONTROL", "Accumulation": "ACCUMULATION",
    "WanCameraEmbedding": "WAN_CAMERA_EMBEDDING", "Tracks": "TRACKS", "Histogram": "HISTOGRAM", "Dict": "DICT",
    "Array": "ARRAY",
}  # fmt: skip
"""Types that only wires carry, by the names they have in `io`."""

WIDGETS = {
    "Int": ("INT", WidgetInput), "Float": ("FLOAT", WidgetInput), "Boolean": ("BOOLEAN", WidgetInput),
    "String": ("STRING", StringInput), "Combo": ("COMBO", ComboInput), "MultiCombo": ("COMBO", MultiComboInput),
    "Color": ("COLOR", ColorInput), "BoundingBox": ("BOUNDING_BOX", BoxInput), "Curve": ("CURVE", CurveInput),
    "ImageCompare": ("IMAGECOMPARE", DrawnInput),
}  # fmt: skip
"""Types whose values may be typed in, each with what declares an input of it."""


def types() -> dict[str, Any]:
    """All types of one value by their names, and what goes with them."""
    return {
        **{name: type_of(io_type) for name, io_type in SOCKETS.items()},
        **{name: type_of(io_type, declared) for name, (io_type, declared) in WIDGETS.items()},
        "Custom": type_of,
        "comfytype": comfytype,
        "ComfyTypeIO": ComfyType,
        "ComfyTypeI": ComfyType,
        "Input": Input,
        "WidgetInput": WidgetInput,
        "Output": Output,
        "NumberDisplay": NumberDisplay,
        "ControlAfterGenerate": ControlAfterGenerate,
        "FolderType": FolderType,
        "UploadType": UploadType,
        "RemoteOptions": RemoteOptions,
    }
