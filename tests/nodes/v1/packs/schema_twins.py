"""A pack of which one node has two inputs of one id, one has no schema, and one is in order."""

from comfy_api.latest import ComfyExtension, io


class Twins(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Test Twins", inputs=[io.Image.Input("image"), io.Mask.Input("image")])


class Bare(io.ComfyNode):
    pass


class Sound(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Test Sound", inputs=[io.Image.Input("image")])


class Extension(ComfyExtension):
    async def get_node_list(self):
        return [Twins, Bare, Sound]


def comfy_entrypoint():
    return Extension()
