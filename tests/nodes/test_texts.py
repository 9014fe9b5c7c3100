"""Every text widget takes any text as it is, and pictures carry it unchanged."""

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image

from execution.graph import Node
from execution.headless.source import read_source
from execution.input_checks import Surroundings, checked
from nodes.context import Context
from nodes.image import save_image
from nodes.inputs import FilePrefix, Text, given
from nodes.registry import load_builtin
from tests.execution.fake_host import FakeFiles

TEXTS = [
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe \N{GRINNING FACE}\N{ZERO WIDTH JOINER} e\N{COMBINING ACUTE ACCENT}",
    '\x01\x1b\x7f\x85\N{LINE SEPARATOR}\N{ZERO WIDTH NO-BREAK SPACE}\uffff\U0010ffff \r\n\t\\" </script> {a|b} %x%',
    "",
    "눈\N{GRINNING FACE}. " * (1 << 18),
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{text[:20]!a}")
def test_every_text_widget_takes_it_as_it_is(text: str) -> None:
    specs = load_builtin()
    around = Surroundings({}, specs, FakeFiles())
    found = [
        (spec, one)
        for spec in specs.values()
        for one in given(spec.inputs, {})
        if one.type == "STRING" and not isinstance(one.widget, FilePrefix)
    ]
    assert len({spec.id for spec, one in found if isinstance(one.widget, Text)}) > 10
    for spec, one in found:
        assert checked(Node("1", spec.id, {one.name: text}), one, around) == text, (spec.id, one.name)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{text[:20]!a}")
def test_a_picture_carries_it_unchanged(context: Context, text: str) -> None:
    graph = {"1": {"class_type": "CLIPTextEncode", "inputs": {"text": text}, "_meta": {"title": text}}}
    workflow = {
        "nodes": [{"id": 1, "type": "CLIPTextEncode", "title": text, "widgets_values": [text]}],
        text[:99]: text,
    }
    carrying = replace(context, graph=graph, extra_pnginfo={"workflow": workflow})
    shown = save_image(images=torch.zeros(1, 8, 8, 3), filename_prefix="text", context=carrying)
    path = context.paths.output / shown.ui["images"][0]["filename"]
    with Image.open(path) as file:
        assert json.loads(file.info["prompt"]) == graph
        assert json.loads(file.info["workflow"]) == workflow
    assert read_source(path).workflow == workflow
