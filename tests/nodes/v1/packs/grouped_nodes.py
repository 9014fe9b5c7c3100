"""A pack whose nodes have inputs that grow in number, and choices that bring inputs of their own."""

from enum import Enum

from comfy_api.latest import ComfyExtension, io, ui


class Fit(Enum):
    INSIDE = "inside"
    COVER = "cover"


class Join(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        texts = io.Autogrow.TemplatePrefix(io.String.Input("text"), prefix="text", min=2, max=4)
        named = io.Autogrow.TemplateNames(io.AnyType.Input("extra", optional=True), names=["red", "blue"], min=0)
        return io.Schema(
            node_id="Test Join",
            inputs=[io.Autogrow.Input("texts", texts), io.Autogrow.Input("named", template=named, optional=True)],
            outputs=[io.AnyType.Output()],
        )

    @classmethod
    def execute(cls, texts: io.Autogrow.Type, named: io.Autogrow.Type):
        return io.NodeOutput({"texts": texts, "named": named})


class Resize(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        parts = io.Autogrow.TemplatePrefix(io.AnyType.Input("part"), prefix="part_", min=1, max=3)
        inner = io.DynamicCombo.Input(
            "unit",
            options=[
                io.DynamicCombo.Option("pixels", [io.Int.Input("count", default=8, min=1, max=64)]),
                io.DynamicCombo.Option("parts", [io.Autogrow.Input("parts", template=parts)]),
            ],
        )
        how = io.DynamicCombo.Input(
            "how",
            options=[
                io.DynamicCombo.Option("square", [io.Int.Input("size", default=512, min=8, max=1024)]),
                io.DynamicCombo.Option("like", [io.AnyType.Input("other"), io.Mask.Input("mask", optional=True)]),
                io.DynamicCombo.Option("by", [inner]),
                io.DynamicCombo.Option(Fit.COVER, []),
            ],
            tooltip="Which way",
        )
        return io.Schema(
            node_id="Test Resize", inputs=[how, io.String.Input("note", default="-")], outputs=[io.AnyType.Output()]
        )

    @classmethod
    def validate_inputs(cls, how):
        return "too square" if how.get("size") == 13 else True

    @classmethod
    def fingerprint_inputs(cls, how, note):
        return f"{note} {how['how']}"

    @classmethod
    def execute(cls, how: io.DynamicCombo.Type, note):
        return io.NodeOutput(how)


class Pick(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        kind = io.MatchType.Template("T", allowed_types=[io.String, io.Int])
        template = io.Autogrow.TemplateNames(io.MatchType.Input("one", kind, lazy=True), names=["a", "b", "c"], min=1)
        return io.Schema(
            node_id="Test Pick",
            inputs=[io.Int.Input("number", default=0), io.Autogrow.Input("among", template)],
            outputs=[io.MatchType.Output(kind, display_name="picked")],
        )

    @classmethod
    def check_lazy_status(cls, number, among):
        value, name = list(among.values())[number]
        return [name] if value is None else []

    @classmethod
    def execute(cls, number, among):
        return io.NodeOutput(list(among.values())[number])


class Together(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        template = io.Autogrow.TemplatePrefix(io.AnyType.Input("item"), prefix="item", min=1, max=3)
        how = io.DynamicCombo.Option("flat", [io.Int.Input("most", default=9)])
        return io.Schema(
            node_id="Test Together",
            is_input_list=True,
            inputs=[io.Autogrow.Input("items", template), io.DynamicCombo.Input("how", options=[how])],
            outputs=[io.AnyType.Output()],
        )

    @classmethod
    def execute(cls, items, how):
        return io.NodeOutput({"items": items, "how": how})


class Show(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Test Show", inputs=[io.AnyType.Input("value")], is_output_node=True)

    @classmethod
    def execute(cls, value):
        return io.NodeOutput(ui=ui.PreviewText(repr(value)))


class Extension(ComfyExtension):
    async def get_node_list(self):
        return [Join, Resize, Pick, Together, Show]


def comfy_entrypoint():
    return Extension()
