"""Workflows as the editor saves them, drawn by tests node by node."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from execution.workflow import to_graph
from nodes.spec import Choice, FileChoice, InputSpec, NodeSpec, Number, OutputSpec, Text

MOMENT = datetime(2026, 3, 7, 9, 5, 2)


def spec(id: str, *inputs: InputSpec, outputs: str = "") -> NodeSpec:
    return NodeSpec(id, f"{id} title", "", "", inputs, tuple(OutputSpec(type, type) for type in outputs.split()))


SEED = InputSpec("seed", "INT", Number(0, 2**64 - 1, control_after_generate=True), 0)
SPECS = {
    one.id: one
    for one in (
        spec("Loader", InputSpec("name", "COMBO", FileChoice("checkpoints")), outputs="MODEL CLIP"),
        spec("Encode", InputSpec("text", "STRING", Text(True, True), ""), InputSpec("clip", "CLIP"), outputs="COND"),
        spec(
            "Sampler",
            InputSpec("model", "MODEL"),
            SEED,
            InputSpec("steps", "INT", Number(1, 100), 20),
            InputSpec("sampler", "COMBO", Choice(("euler", "heun"))),
            InputSpec("positive", "COND"),
            InputSpec("extra", "FLOAT", Number(0, 1), 0.5, optional=True),
            outputs="LATENT",
        ),
        spec("Upscale", InputSpec("latent", "LATENT"), InputSpec("flag", "BOOLEAN", None, False), outputs="LATENT"),
        spec("Blend", InputSpec("mask", "MASK"), InputSpec("a", "LATENT"), InputSpec("b", "LATENT"), outputs="LATENT"),
        spec(
            "LoadImage",
            InputSpec("image", "COMBO", FileChoice("input", upload=True)),
            InputSpec("channel", "COMBO", Choice(("red", "alpha"))),
            outputs="IMAGE MASK",
        ),
        spec("Save", InputSpec("latent", "LATENT"), InputSpec("filename_prefix", "STRING", Text(), "Weft")),
    )
}


class Canvas:
    """Draws a workflow for a test: nodes, then wires between their slots."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.links: list[list[Any]] = []

    def node(self, id: int | str, type: str, *values: Any, inputs: str = "", outputs: str = "", **more: Any) -> None:
        """Slots are written as "name:TYPE"; the type may be left out where it is the name in capitals."""
        data: dict[str, Any] = {"id": id, "type": type, "order": len(self.nodes), "mode": 0}
        data["inputs"] = [self._slot(one) | {"link": None} for one in inputs.split()]
        data["outputs"] = [self._slot(one) for one in outputs.split()]
        self.nodes.append(data | {"widgets_values": list(values)} | more)

    def _slot(self, text: str) -> dict[str, Any]:
        name, _, type = text.partition(":")
        return {"name": name, "type": type or name.upper()}

    def wire(self, source: int | str, slot: int, target: int | str, name: str) -> None:
        number = len(self.links) + 1
        index = 0
        for node in self.nodes:
            if node["id"] == target:
                index = [one["name"] for one in node["inputs"]].index(name)
                node["inputs"][index]["link"] = number
        self.links.append([number, source, slot, target, index, "X"])

    def document(self, **more: Any) -> dict[str, Any]:
        return {"version": 0.4, "nodes": self.nodes, "links": self.links} | more

    def definition(self, id: str, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> dict[str, Any]:
        """This drawing as the inside of a subgraph."""
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        return {
            "id": id,
            "nodes": self.nodes,
            "links": [dict(zip(keys, link, strict=True)) for link in self.links],
            "inputs": [{"name": name} for name in inputs],
            "outputs": [{"name": name} for name in outputs],
        }

    def results(self, source: int, slot: int, number: int) -> None:
        """Wires an output to the output of the subgraph."""
        self.links.append([len(self.links) + 1, source, slot, -20, number, "X"])


def graph_of(document: Any, **options: Any) -> dict[str, Any]:
    return to_graph(document, SPECS, moment=MOMENT, **options)


def inputs_of(canvas: Canvas, node_id: str = "1", **more: Any) -> dict[str, Any]:
    return graph_of(canvas.document(**more))[node_id]["inputs"]


def simple() -> Canvas:
    canvas = Canvas()
    canvas.node(1, "Loader", "a.safetensors", outputs="MODEL CLIP")
    canvas.node(2, "Encode", "a cat", inputs="clip", outputs="COND", title="Positive")
    canvas.node(3, "Sampler", 7, "randomize", 9, "heun", inputs="model positive:COND", outputs="LATENT")
    canvas.node(4, "Save", "cat", inputs="latent")
    canvas.wire(1, 1, 2, "clip")
    canvas.wire(1, 0, 3, "model")
    canvas.wire(2, 0, 3, "positive")
    canvas.wire(3, 0, 4, "latent")
    return canvas
