"""A pack in the style of those with switches and lists: wildcard types, lazy inputs, blockers, lists, loops."""

import time

from comfy_execution.graph import ExecutionBlocker
from comfy_execution.graph_utils import GraphBuilder, is_link


class AnyType(str):
    def __ne__(self, other):
        return False


any_type = AnyType("*")


class LazySwitch:
    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {"switch": ("BOOLEAN", {"default": True, "label_on": "yes", "label_off": "no"})},
            "optional": {"on_true": (any_type, {"lazy": True}), "on_false": (any_type, {"lazy": True})},
        }

    RETURN_TYPES = (any_type,)
    RETURN_NAMES = ("*",)
    FUNCTION = "pick"
    CATEGORY = "logic"

    def check_lazy_status(self, switch, on_true=None, on_false=None):
        if switch and on_true is None:
            return ["on_true"]
        if not switch and on_false is None:
            return ["on_false"]

    def pick(self, switch, on_true=None, on_false=None):
        return (on_true if switch else on_false,)


class Gate:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": (any_type, {}), "open": ("BOOLEAN", {"default": True})}}

    RETURN_TYPES = (any_type,)
    FUNCTION = "gate"
    CATEGORY = "logic"

    def gate(self, value, open):
        return (value if open else ExecutionBlocker(None),)


class Fails:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"
    CATEGORY = "logic"

    def run(self):
        raise RuntimeError("this branch must not run")


class SplitText:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {"default": ""}), "by": ("STRING", {"default": ","})}}

    RETURN_TYPES = ("STRING",)
    OUTPUT_IS_LIST = (True,)
    FUNCTION = "split"
    CATEGORY = "lists"

    def split(self, text, by):
        return (text.split(by),)


class Upper:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {"forceInput": True})}}

    RETURN_TYPES = ("STRING",)
    FUNCTION = "upper"
    CATEGORY = "lists"

    def upper(self, text):
        return (text.upper(),)


class JoinTexts:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"texts": ("STRING", {"forceInput": True}), "by": ("STRING", {"default": "+"})}}

    INPUT_IS_LIST = True
    RETURN_TYPES = ("STRING",)
    FUNCTION = "join"
    CATEGORY = "lists"

    def join(self, texts, by):
        return (by[0].join(texts),)


class FlexibleInputs(dict):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def __getitem__(self, key):
        return (self.kind,)

    def __contains__(self, key):
        return True


class JoinAny:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}, "optional": FlexibleInputs(any_type), "hidden": {}}

    RETURN_TYPES = ("STRING",)
    FUNCTION = "join"
    CATEGORY = "lists"

    def join(self, **kwargs):
        return ("|".join(str(kwargs[name]) for name in sorted(kwargs)),)


class JoinInputs:
    """Joins the inputs that a script of the editor has added to the node."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"by": ("STRING", {"default": "-"})}}

    RETURN_TYPES = ("STRING",)
    FUNCTION = "join"
    CATEGORY = "lists"

    def join(self, by, **kwargs):
        return (by.join(kwargs[f"text_{number}"] for number in range(1, len(kwargs) + 1)),)


class Repeat:
    """Appends a text to itself, by a graph that is run in the node's place."""

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "text": ("STRING", {"default": "a"}),
                "times": ("INT", {"default": 1, "min": 0, "max": 1000}),
            },
            "hidden": {"dynprompt": "DYNPROMPT", "unique_id": "UNIQUE_ID"},
        }

    RETURN_TYPES = ("STRING",)
    FUNCTION = "repeat"
    CATEGORY = "loops"

    def repeat(self, text, times, dynprompt, unique_id):
        assert dynprompt.get_node(unique_id)["class_type"] == "Test Repeat"
        if times <= 1:
            return (text if times else "",)
        graph = GraphBuilder()
        rest = graph.node("Test Repeat", text=text, times=times - 1)
        join = graph.node("Test JoinAny", a=text, b=rest.out(0))
        assert is_link(rest.out(0))
        return {"result": (join.out(0),), "expand": graph.finalize()}


class Counter:
    """Remembers between runs how often it ran, and always runs."""

    def __init__(self):
        self.count = 0

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"name": ("STRING", {"default": ""})}}

    RETURN_TYPES = ("INT",)
    FUNCTION = "up"
    CATEGORY = "state"

    @classmethod
    def IS_CHANGED(cls, name):
        return float("nan")

    def up(self, name):
        self.count += 1
        return (self.count,)


class Checked:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"number": ("INT", {"default": 1, "min": 0, "max": 100}), "word": (["a", "b"],)}}

    RETURN_TYPES = ("INT",)
    FUNCTION = "run"
    CATEGORY = "checks"

    @classmethod
    def VALIDATE_INPUTS(cls, word, number):
        if number % 2:
            return f"{number} is odd"
        return True

    def run(self, number, word):
        return (number,)


class AsyncWait:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"seconds": ("FLOAT", {"default": 0.1, "min": 0.0, "max": 5.0})}}

    RETURN_TYPES = ("FLOAT",)
    FUNCTION = "wait"
    CATEGORY = "async"

    async def wait(self, seconds):
        import asyncio

        await asyncio.sleep(seconds)
        return (time.monotonic(),)


NODE_CLASS_MAPPINGS = {
    f"Test {one.__name__}": one
    for one in (
        LazySwitch, Gate, Fails, SplitText, Upper, JoinTexts, JoinAny, JoinInputs, Repeat, Counter, Checked, AsyncWait,
    )
}  # fmt: skip
