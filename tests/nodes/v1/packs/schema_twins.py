"""A pack whose node has two inputs of one id."""

from comfy_api.latest import ComfyExtension, io


class Twins(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Test Twins", inputs=[io.Image.Input("image"), io.Mask.Input("image")])


class Extension(ComfyExtension):
    async def get_node_list(self):
        return [Twins]


def comfy_entrypoint():
    return Extension()
