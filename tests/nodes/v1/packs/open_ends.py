"""A pack in the style of those whose nodes have more inputs and outputs than they declare, added in the editor."""


class AnyType(str):
    def __ne__(self, other):
        return False


any_type = AnyType("*")


class ManyOutputs(tuple):
    """The first declared type for any number."""

    def __getitem__(self, index):
        return AnyType(super().__getitem__(min(index, 0)))


class Numbered(tuple):
    """Texts for any number beyond the declared ones."""

    def __getitem__(self, index):
        return super().__getitem__(index) if index < len(self) else "STRING"


class InversedSwitch:
    """Gives its input as the output that is selected."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"select": ("INT", {"default": 1, "min": 1}), "input": (any_type,)}}

    RETURN_TYPES = ManyOutputs((any_type,))
    FUNCTION = "switch"
    runs = 0

    def switch(self, select, input):
        type(self).runs += 1
        return [None] * (select - 1) + [input]


class Spread:
    """Gives each word of a text as an output."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {"default": ""})}}

    RETURN_TYPES = Numbered(("INT",))
    FUNCTION = "spread"

    def spread(self, text):
        words = text.split()
        return {"ui": {"text": words}, "result": (len(words), *words)}


class Relay:
    """Stands for a Spread, as a graph that runs in its place."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {"default": ""})}}

    RETURN_TYPES = Numbered(("INT",))
    FUNCTION = "relay"

    def relay(self, text):
        graph = {"s": {"class_type": "Test Spread", "inputs": {"text": text}}}
        return {"result": (["s", 0], ["s", 1], ["s", 2]), "expand": graph}


class AnyName(dict):
    """Every name, with the same options."""

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return (any_type, {"lazy": True})


class PickByName:
    """Gives the input that is chosen, of inputs of any name."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"name": ("STRING", {"default": "a"})}, "optional": AnyName()}

    RETURN_TYPES = (any_type,)
    FUNCTION = "pick"

    def check_lazy_status(self, name, **others):
        return [name]

    def pick(self, name, **others):
        return ((others[name], sorted(others.items(), key=str)),)


class PickByNumber:
    """Gives the input of a number. It declares the first; a script of the editor adds others."""

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {"number": ("INT", {"default": 1}), "by2": (any_type, {})},
            "optional": {"input1": (any_type, {"lazy": True})},
        }

    RETURN_TYPES = (any_type,)
    FUNCTION = "pick"

    def check_lazy_status(self, number, **others):
        return [f"input{number}"]

    def pick(self, number, **others):
        return (others[f"input{number}"] + others["by2"] + others["by3"],)


class Told:
    """Shows what it is given, as Python writes it."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": (any_type,)}}

    RETURN_TYPES = ()
    OUTPUT_NODE = True
    FUNCTION = "tell"

    def tell(self, value):
        return {"ui": {"text": [repr(value)]}}


NODE_CLASS_MAPPINGS = {
    f"Test {one.__name__}": one for one in (InversedSwitch, Spread, Relay, PickByName, PickByNumber, Told)
}
