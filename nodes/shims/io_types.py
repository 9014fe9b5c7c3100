"""`comfy_api.latest.io`: types of values, each with the classes that declare inputs and outputs of it."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar

from nodes.v1.runtime import NotOfferedError


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


OPTIONS = {
    "force_input": "forceInput",
    "dynamic_prompts": "dynamicPrompts",
    "raw_link": "rawLink",
    "display_mode": "display",
    "widget_type": "widgetType",
    "multiselect": "multiselect",
}
"""Names of options as INPUT_TYPES spells them, where they differ."""


class Input:
    """The declaration of one input; options beyond the common ones are those of its type."""

    io_type: ClassVar[str] = "*"

    def __init__(
        self,
        id: str,
        display_name: str | None = None,
        optional: bool = False,
        tooltip: str | None = None,
        lazy: bool | None = None,
        default: Any = None,
        extra_dict: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.id = id
        self.optional = optional
        self.options = {"display_name": display_name, "tooltip": tooltip, "lazy": lazy, "default": default, **options}
        self.extra_dict = dict(extra_dict or {})

    @property
    def spelled(self) -> tuple[Any, dict[str, Any]]:
        """The input as INPUT_TYPES writes it."""
        options = {OPTIONS.get(name, name): value for name, value in self.options.items() if value is not None}
        return self.io_type, options | self.extra_dict

    def get_io_type(self) -> str:
        """The type on the wire."""
        return self.io_type


class ComboInput(Input):
    """An input with a choice of words, files among them."""

    def __init__(self, id: str, options: Any = None, display_name: str | None = None, **more: Any) -> None:
        upload = more.pop("upload", None)
        super().__init__(id, display_name, **more)
        if upload is not None:
            self.options[str(upload.value)] = True
        self.words = None if options is None else [getattr(one, "value", one) for one in options]

    @property
    def spelled(self) -> tuple[Any, dict[str, Any]]:
        """The input as INPUT_TYPES writes it."""
        _, options = super().spelled
        return "COMBO", options if self.words is None else {**options, "options": self.words}


class MultiTypeInput(Input):
    """An input of one of several types."""

    def __init__(self, id: Any, types: Sequence[Any], display_name: str | None = None, **more: Any) -> None:
        self.first = id if isinstance(id, Input) else None
        super().__init__(id.id if isinstance(id, Input) else id, display_name, **more)
        self.types = [one if isinstance(one, str) else one.io_type for one in types]

    @property
    def spelled(self) -> tuple[Any, dict[str, Any]]:
        """The input as INPUT_TYPES writes it; with a widget, if it was given one as its id."""
        _, options = super().spelled
        if self.first is None:
            return ",".join(self.types), options
        return ",".join(dict.fromkeys([self.first.io_type, *self.types])), self.first.spelled[1] | options


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


class Template:
    """Says that several inputs and outputs are of one type, whichever it is."""

    def __init__(self, template_id: str, allowed_types: Any = None) -> None:
        self.template_id = template_id
        self.allowed_types = allowed_types


class _MatchInput(Input):
    def __init__(self, id: str, template: Template, *arguments: Any, **options: Any) -> None:
        super().__init__(id, *arguments, **options)
        self.template = template


class _MatchOutput(Output):
    def __init__(self, template: Template, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.template = template


class MatchType(ComfyType):
    """Values of one type, whichever it is; on the wire anything."""

    Template = Template
    Input = _MatchInput
    Output = _MatchOutput


class NotOfferedType:
    """A type whose inputs grow as they are filled, or depend on another's value."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        raise NotOfferedError(f"io.{self._name}.{attribute}", "declare the inputs one by one")


NAMES = {
    "AnyType": "*", "Image": "IMAGE", "Mask": "MASK", "Latent": "LATENT", "Model": "MODEL", "Clip": "CLIP",
    "Vae": "VAE", "Conditioning": "CONDITIONING", "ControlNet": "CONTROL_NET", "ClipVision": "CLIP_VISION",
    "ClipVisionOutput": "CLIP_VISION_OUTPUT", "StyleModel": "STYLE_MODEL", "Gligen": "GLIGEN",
    "UpscaleModel": "UPSCALE_MODEL", "Sampler": "SAMPLER", "Sigmas": "SIGMAS", "Noise": "NOISE", "Guider": "GUIDER",
    "LoraModel": "LORA_MODEL", "Hooks": "HOOKS", "HookKeyframes": "HOOK_KEYFRAMES", "Photomaker": "PHOTOMAKER",
    "TimestepsRange": "TIMESTEPS_RANGE", "Audio": "AUDIO", "Video": "VIDEO", "SVG": "SVG", "Mesh": "MESH",
    "Webcam": "WEBCAM", "Point": "POINT", "BoundingBox": "BOUNDING_BOX", "FaceAnalysis": "FACE_ANALYSIS",
    "BBOX": "BBOX", "SEGS": "SEGS", "AudioEncoder": "AUDIO_ENCODER", "ModelPatch": "MODEL_PATCH",
    "FlowControl": "FLOW_CONTROL", "Accumulation": "ACCUMULATION", "Int": "INT", "Float": "FLOAT", "String": "STRING",
    "Boolean": "BOOLEAN",
}  # fmt: skip
"""The types by the names they have in `io`."""


def types() -> dict[str, Any]:
    """All types by their names."""
    return {
        **{name: type_of(io_type) for name, io_type in NAMES.items()},
        "Combo": type_of("COMBO", ComboInput),
        "MultiCombo": type_of("COMBO", _MultiComboInput),
        "MultiType": type_of("*", MultiTypeInput),
        "MatchType": MatchType,
        "Autogrow": NotOfferedType("Autogrow"),
        "DynamicCombo": NotOfferedType("DynamicCombo"),
        "DynamicSlot": NotOfferedType("DynamicSlot"),
        "Custom": type_of,
        "comfytype": comfytype,
        "ComfyTypeIO": ComfyType,
        "ComfyTypeI": ComfyType,
        "Input": Input,
        "WidgetInput": Input,
        "Output": Output,
        "NumberDisplay": NumberDisplay,
        "ControlAfterGenerate": ControlAfterGenerate,
        "FolderType": FolderType,
        "UploadType": UploadType,
    }


class _MultiComboInput(ComboInput):
    def __init__(self, id: str, options: Any = None, display_name: str | None = None, **more: Any) -> None:
        super().__init__(id, options, display_name, **{**more, "multiselect": True})
