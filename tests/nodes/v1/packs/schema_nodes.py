"""A pack in the style of the newer interface: nodes by schema, listed by an extension."""

from comfy_api.latest import ComfyExtension, io, ui


class Brighten(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="Test Brighten",
            display_name="Brighten",
            category="schema",
            description="Adds to a picture.",
            inputs=[
                io.Image.Input("image"),
                io.Float.Input("by", default=0.25, min=0.0, max=1.0, step=0.05, display_mode=io.NumberDisplay.slider),
                io.Combo.Input("mode", options=["add", "keep"]),
                io.Mask.Input("mask", optional=True, tooltip="Where"),
            ],
            outputs=[io.Image.Output(display_name="bright"), io.String.Output()],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, image, by, mode, mask=None):
        out = (image + by).clamp(0, 1) if mode == "add" else image
        return io.NodeOutput(out, f"node {cls.hidden.unique_id}", ui=ui.PreviewImage(out, cls=cls))


class Later(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="Test Later",
            inputs=[io.AnyType.Input("value", lazy=True), io.Boolean.Input("block", default=False)],
            outputs=[io.AnyType.Output()],
            is_output_node=True,
        )

    @classmethod
    def check_lazy_status(cls, block, value=None):
        return [] if block else ["value"]

    @classmethod
    def validate_inputs(cls, block):
        return True

    @classmethod
    async def execute(cls, block, value=None):
        if block:
            return io.NodeOutput(block_execution="blocked on purpose")
        return io.NodeOutput(value, ui=ui.PreviewText(str(value)))


class Extension(ComfyExtension):
    async def get_node_list(self):
        return [Brighten, Later]


async def comfy_entrypoint():
    return Extension()
