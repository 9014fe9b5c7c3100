"""The nodes that sample have the inputs and outputs that ComfyUI's files and clients know, to the step of a number."""

import json
from pathlib import Path
from typing import Any

import pytest

from models.sampling.samplers.table import SAMPLERS
from nodes.registry import load_builtin
from nodes.spec import REQUIRED, Choice, InputSpec, Number

KNOWN = json.loads((Path(__file__).parent / "sampling_nodes.json").read_text(encoding="utf-8"))
"""As ComfyUI 0.33.0 tells it; choices of a sampler apart, since a part of them is there."""

SPECS = load_builtin(
    [f"nodes.{name}" for name in ("sampling", "custom_sampling", "guiders", "samplers", "schedulers", "sigmas")]
)


def details(one: InputSpec) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(one.widget, Choice) and one.name != "sampler_name":
        found["options"] = list(one.widget.options)
    if one.default != REQUIRED:
        found["default"] = one.default
    if isinstance(one.widget, Number):
        found |= {"min": one.widget.min, "max": one.widget.max, "step": one.widget.step}
    return found


@pytest.mark.parametrize("id", KNOWN["nodes"])
def test_a_node_has_the_inputs_and_outputs_that_are_known(id: str) -> None:
    spec, known = SPECS[id], KNOWN["nodes"][id]
    assert [[one.name, one.type] for one in spec.inputs] == [[name, type] for name, type, _ in known["inputs"]]
    for one, (_, type, expected) in zip(spec.inputs, known["inputs"], strict=True):
        if type == "INT":
            expected = {"step": 1, **expected}
        assert details(one) == expected, one.name
    assert [[one.name, one.type] for one in spec.outputs] == known["outputs"]


def test_no_node_that_samples_is_unknown() -> None:
    assert set(SPECS) == set(KNOWN["nodes"])


def test_samplers_stand_in_the_known_order() -> None:
    assert list(SAMPLERS) == [name for name in KNOWN["samplers"] if name in SAMPLERS]
