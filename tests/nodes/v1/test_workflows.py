"""Values that saved workflows hold for foreign nodes find their inputs."""

from execution.workflow.convert import to_graph
from nodes.v1.adapter import ForeignClass


class Widgets:
    """Inputs with and without widgets, in all the ways that shift the values behind them."""

    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "image": ("IMAGE",),
                "plain": ("INT",),
                "forced": ("STRING", {"forceInput": True}),
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**64 - 1}),
                "picture": (["a.png"], {"image_upload": True}),
                "many": (["a", "b"], {"multiselect": True}),
                "noise_seed": ("INT", {"default": 0, "min": 0, "max": 9, "control_after_generate": False}),
                "text": ("STRING", {"multiline": True}),
            },
            "optional": {"on": ("BOOLEAN", {"default": False}), "mask": ("MASK",), "amount": ("FLOAT",)},
        }

    def run(self, **inputs):
        return ()


def values_of(widgets_values):
    spec = ForeignClass("Widgets", Widgets, "Widgets", "custom_nodes.w", None).spec()
    drawn = {"id": 1, "type": "Widgets", "inputs": [], "outputs": [], "widgets_values": widgets_values}
    return to_graph({"version": 0.4, "nodes": [drawn], "links": []}, {"Widgets": spec})["1"]["inputs"]


def test_values_find_their_inputs_past_sockets_and_companions():
    found = values_of([3, 42, "randomize", "a.png", "image", ["b"], 7, "text", True, 0.5])
    assert found == {
        "plain": 3,
        "seed": 42,
        "picture": "a.png",
        "many": {"__value__": ["b"]},
        "noise_seed": 7,
        "text": "text",
        "on": True,
        "amount": 0.5,
    }


def test_files_without_companions_are_read_as_well():
    found = values_of([3, 42, "a.png", ["b"], 7, "text", True])
    assert (found["picture"], found["noise_seed"], found["text"], found["on"]) == ("a.png", 7, "text", True)
