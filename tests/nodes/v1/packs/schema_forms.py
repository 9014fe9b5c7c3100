"""A pack that uses what the newer interface offers: every kind of input, what nodes show, and what they may tell."""

from enum import Enum
from fractions import Fraction

import torch
from comfy_api.input import AudioInput, ImageInput, VideoInput
from comfy_api.input_impl import VideoFromComponents
from comfy_api.latest import IO, UI, ComfyAPI, ComfyAPISync, ComfyExtension, Input, InputImpl, Types, io, ui
from comfy_api.latest._io import ComfyTypeIO, FolderType, comfytype
from comfy_api.latest._ui import ImageSaveHelper
from comfy_api.util import VideoCodec, VideoContainer
from comfy_api.v0_0_2 import io as pinned
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context

assert get_executing_context() is None

assert IO is io
assert UI is ui
assert Input.Video is VideoInput
assert ImageInput is Input.Image is torch.Tensor
assert AudioInput is Input.Audio
assert (VideoContainer.MP4, VideoCodec.H264) == (Types.VideoContainer.MP4, Types.VideoCodec.H264)
assert pinned.ComfyNode is io.ComfyNode

api = ComfyAPI()


class Blend(Enum):
    NORMAL = "normal"
    SCREEN = "screen"


@comfytype(io_type="TEST_DATA")
class Data(ComfyTypeIO):
    Type = dict[str, int]


@io.comfytype(io_type="TEST_BEATS")
class Beats(io.ComfyTypeIO):
    Type = dict

    class Input(io.WidgetInput):
        def __init__(self, id, tooltip=None, advanced=None):
            super().__init__(
                id, None, True, tooltip, None, {"beats": []}, True, None, None, {"bars": 4}, None, advanced
            )

        def as_dict(self):
            return super().as_dict() | {"beats": True}


class Inputs(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        schema = io.Schema(
            node_id="Test Inputs",
            search_aliases=["everything"],
            inputs=[
                io.Int.Input("seed", default=0, min=0, max=9, control_after_generate=io.ControlAfterGenerate.fixed),
                io.Float.Input("gradient", default=0.5, min=0, max=1, display_mode=io.NumberDisplay.gradient_slider),
                io.Float.Input("wired", force_input=True, optional=True),
                io.String.Input("text", multiline=True, dynamic_prompts=True, placeholder="Words", advanced=True),
                io.String.Input("kept", default="", socketless=True),
                io.Boolean.Input("on", default=True, label_on="Yes", label_off="No"),
                io.Combo.Input("blend", options=Blend, default=Blend.SCREEN, control_after_generate=True),
                io.Combo.Input("file", [], upload=io.UploadType.image, image_folder=io.FolderType.output),
                io.Combo.Input("far", remote=io.RemoteOptions(route="/far", refresh_button=True)),
                io.MultiCombo.Input("tags", ["a", "b"], default=["a"], chip=True),
                io.Color.Input("color"),
                io.BoundingBox.Input("box", component="Crop"),
                io.MultiType.Input(io.Float.Input("rate", default=25.0, min=1.0, max=99.0), types=[io.Float, io.Int]),
                io.MultiType.Input("either", types=[io.Image, io.Mask], optional=True),
                io.Custom("TEST_OTHER").Input("other", optional=True, extra_dict={"note": 1}),
                Beats.Input("beats", "Heard", True),
                Data.Input("data", optional=True, raw_link=True, display_name="Data"),
            ],
            outputs=[Data.Output("data"), io.Image.Output(display_name="many", is_output_list=True, tooltip="All")],
        )
        schema.inputs[0].tooltip = "Told later"
        return schema

    @classmethod
    def execute(cls, **inputs):
        return io.NodeOutput(inputs, [])


class Hidden(io.ComfyNode):
    """Has an input of the name of a hidden one that every node that saves is given."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="Test Hidden",
            is_output_node=True,
            inputs=[io.String.Input("prompt")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, prompt):
        return f"{prompt} {cls.hidden.unique_id}"

    @classmethod
    def execute(cls, prompt):
        graph = cls.hidden.prompt
        told = (prompt, cls.hidden.unique_id, graph["1"]["class_type"], cls.hidden.extra_pnginfo, cls.hidden.dynprompt)
        return io.NodeOutput(ui=ui.PreviewText(repr(told)))


class Forms(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        forms = ["output", "dictionary", "tuple", "none", "blocked"]
        return io.Schema(
            node_id="Test Forms",
            is_output_node=True,
            inputs=[io.Combo.Input("form", options=forms)],
            outputs=[io.String.Output()],
        )

    @classmethod
    def execute(cls, form):
        shown = ui.PreviewText(form)
        match form:
            case "output":
                return io.NodeOutput(form, ui=shown)
            case "dictionary":
                return io.NodeOutput.from_dict({"result": (form,), "ui": {"text": [form]}})
            case "tuple":
                return (form,)
            case "none":
                return None
        return io.NodeOutput(form, ui=shown, block_execution="blocked on purpose")


class Saves(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        ways = ["png", "temp png", "apng", "webp", "input png"]
        return io.Schema(
            node_id="Test Saves",
            is_output_node=True,
            inputs=[io.Image.Input("images"), io.Combo.Input("way", options=ways)],
        )

    @classmethod
    def execute(cls, images, way):
        helper = ui.ImageSaveHelper
        assert helper is ImageSaveHelper
        match way:
            case "png":
                return io.NodeOutput(ui=helper.get_save_images_ui(images, "test", cls=cls, compress_level=1))
            case "apng":
                return io.NodeOutput(ui=helper.get_save_animated_png_ui(images, "test", cls=cls, fps=4.0))
            case "webp":
                shown = helper.get_save_animated_webp_ui(
                    images, "test", cls=cls, fps=4.0, lossless=False, quality=50, method=0
                )
                return io.NodeOutput(ui=shown)
        kind = FolderType.temp if way.startswith("temp") else FolderType.input
        return io.NodeOutput(ui=ui.SavedImages(helper.save_images(images, "test", kind, cls)))


class Tells(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Test Tells", is_output_node=True, inputs=[io.Image.Input("image")])

    @classmethod
    async def execute(cls, image):
        await api.execution.set_progress(value=1, max_value=4)
        ComfyAPISync().execution.set_progress(0.5, 1.0, preview_image=image)
        return io.NodeOutput()


class Where(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Test Where", is_output_node=True, inputs=[io.Int.Input("item")])

    @classmethod
    def execute(cls, item):
        state, context = get_progress_state(), get_executing_context()
        state.update_progress(context.node_id, item, 4)
        state.update_progress("another", 4, 4)
        assert state.prompt_id == context.prompt_id
        return io.NodeOutput(ui=ui.PreviewText(repr(tuple(context))))


class Film(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="Test Film",
            is_output_node=True,
            inputs=[io.Image.Input("images"), io.Audio.Input("audio", optional=True)],
            outputs=[io.Video.Output()],
        )

    @classmethod
    def execute(cls, images, audio=None):
        assert InputImpl.VideoFromComponents is VideoFromComponents
        return io.NodeOutput(VideoFromComponents(Types.VideoComponents(images=images, frame_rate=Fraction(8))))


class Extension(ComfyExtension):
    async def on_load(self):
        await api.node_replacement.register(
            io.NodeReplace(new_node_id="Test Forms", old_node_id="Test OldForms", old_widget_ids=["form"])
        )
        ComfyAPISync().node_replacement.register(
            io.NodeReplace(
                new_node_id="Test Forms",
                old_node_id="Test OtherForms",
                input_mapping=[{"new_id": "form", "old_id": "kind"}],
            )
        )

    async def get_node_list(self):
        return [Inputs, Hidden, Forms, Saves, Tells, Where, Film]


async def comfy_entrypoint():
    return Extension()
