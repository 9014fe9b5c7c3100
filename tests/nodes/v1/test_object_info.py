"""Foreign nodes are described to clients as they spell themselves."""

import json

from nodes.object_info import entry
from nodes.v1.adapter import ForeignClass
from nodes.v1.declaration import inputs_of, wire_type


def described(bench, id, *packs):
    return entry(bench(*packs).registry[id], lambda folder: [])


def test_options_are_shown_as_the_node_spells_them(bench):
    info = described(bench, "Test Blur", "image_filters.py")
    assert info["input"]["required"] == {
        "image": ["IMAGE", {}],
        "radius": ["INT", {"default": 1, "min": 0, "max": 16, "step": 1, "display": "slider"}],
        "mode": [["box", "gauss"], {}],
    }
    assert info["input"]["optional"] == {"mask": ["MASK", {}]}
    assert info["output"] == ["IMAGE", "MASK"]
    assert info["output_name"] == ["image", "used_mask"]
    assert info["description"] == "Blurs a picture."
    assert info["python_module"] == "custom_nodes.image_filters"


def test_hidden_inputs_lists_and_wildcards_are_told(bench):
    made = bench("image_filters.py", "switches.py")
    hidden = {"unique_id": "UNIQUE_ID", "prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
    assert entry(made.registry["Test SaveText"], list)["input"]["hidden"] == hidden
    assert "hidden" not in entry(made.registry["Test Gate"], list)["input"]
    assert entry(made.registry["Test SplitText"], list)["output_is_list"] == [True]
    assert entry(made.registry["Test JoinTexts"], list)["is_input_list"] is True
    assert entry(made.registry["Test Gate"], list)["output"] == ["*"]
    assert made.registry["Test JoinAny"].open_inputs
    assert not made.registry["Test Gate"].open_inputs


def test_a_node_by_schema_is_described_like_the_others(bench):
    info = described(bench, "Test Brighten", "schema_nodes.py")
    assert info["display_name"] == "Brighten"
    assert info["input"]["required"]["by"] == [
        "FLOAT", {"default": 0.25, "min": 0.0, "max": 1.0, "step": 0.05, "display": "slider"}
    ]  # fmt: skip
    assert info["input"]["required"]["mode"] == ["COMBO", {"multiselect": False, "options": ["add", "keep"]}]
    assert info["input"]["optional"]["mask"] == ["MASK", {"tooltip": "Where"}]
    assert info["output_name"] == ["bright", "STRING"]


class Odd:
    """Spellings that packs use and the protocol does not mention."""

    RETURN_TYPES = "IMAGE"
    RETURN_NAMES = ("only",)
    OUTPUT_TOOLTIPS = ("a picture",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "plain": "STRING",
                "endless": ["FLOAT", {"max": float("inf"), "default": 1.0}],
                "words": ([1, 2.5, True, "x"],),
                "several": (["a", "b"], {"multiselect": True}),
                "function": ("INT", {"default": 1, "callback": print}),
            },
            "hidden": {"me": ("UNIQUE_ID",), "unknown": "SOMETHING"},
        }

    def run(self, **inputs):
        return (None,)


def test_odd_spellings_are_understood_and_stay_json():
    spec = ForeignClass("Odd", Odd, "Odd", "custom_nodes.odd", None).spec()
    info = entry(spec, list)
    json.dumps(info, allow_nan=False)
    assert info["input"]["required"]["plain"] == ["STRING", {}]
    assert info["input"]["required"]["words"][0] == [1, 2.5, True, "x"]
    assert info["input"]["required"]["several"] == ["COMBO", {"multiselect": True, "options": ["a", "b"]}]
    assert info["input"]["hidden"] == {"me": "UNIQUE_ID"}
    assert info["output"] == ["IMAGE"]
    assert info["output_tooltips"] == ["a picture"]
    assert inputs_of(Odd).hidden == {"me": "UNIQUE_ID"}


def test_a_text_that_equals_every_other_is_the_wildcard():
    class Anything(str):
        __slots__ = ()

        def __ne__(self, other):
            return False

    assert wire_type(Anything("ANY")) == "*"
    assert wire_type("ANY") == "ANY"
