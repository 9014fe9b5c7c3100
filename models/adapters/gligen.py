"""GLIGEN, arXiv:2301.07093: gated self-attention that shows a UNet which words belong in which box."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from models.conditioning import Area
from models.layers import attention
from models.types import Residence
from models.unet import FeedForward
from models.unet_patches import Call, Place, UNetPatches

MAX_BOXES = 30
"""Boxes that GLIGEN was trained with; unused ones are filled with learned placeholders."""

FREQUENCIES = 8
POSITION_WIDTH = FREQUENCIES * 2 * 4
"""Sines and cosines of the box's four coordinates."""

_GATE = re.compile(r"(?:(input|output)_blocks\.(\d+)\.1|(middle)_block\.1)\.transformer_blocks\.(\d+)\.fuser\.(.+)")


class UnknownGligenError(ValueError):
    """The keys and shapes are not those of a GLIGEN text-box model."""


@dataclass(frozen=True)
class GligenConfig:
    """Widths, and for each transformer block of the UNet that gets a gate how wide it is."""

    text_width: int
    hidden: int
    object_width: int
    gates: tuple[tuple[Place, int], ...]

    @property
    def heads(self) -> int:
        """The gates have as many heads as the attention of Stable Diffusion 1.x."""
        return 8

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "GligenConfig":
        """Reads the configuration off a file's keys and shapes. Raises UnknownGligenError."""
        found = ((gate_of(key), shape[0]) for key, shape in shapes.items() if key.endswith(".fuser.linear.weight"))
        gates = tuple((gate[0], width) for gate, width in found if gate is not None)
        try:
            text_width = shapes["position_net.null_positive_feature"][0]
            hidden = shapes["position_net.linears.0.weight"][0]
            object_width = shapes["position_net.linears.4.weight"][0]
        except KeyError as missing:
            raise UnknownGligenError(f"no {missing.args[0]}: not a GLIGEN text-box model") from None
        return cls(text_width, hidden, object_width, gates)


def gate_of(key: str) -> tuple[Place, str] | None:
    """The transformer block whose gate a key of a file belongs to, and the parameter's name in it."""
    match = _GATE.fullmatch(key)
    if match is None:
        return None
    path: Literal["input", "middle", "output"] = "middle" if match[3] else "input" if match[1] == "input" else "output"
    return Place(path, int(match[2] or 0), int(match[4])), match[5]


def network_name(key: str) -> str:
    """The network's name of a parameter, given the file's; one that follows no rule comes back as it is."""
    gate = gate_of(key)
    return key if gate is None else f"gates.{_slot(gate[0])}.{gate[1]}"


def _slot(place: Place) -> str:
    return f"{place.path}_{place.number}_{place.index}"


class PositionNet(nn.Module):
    """Turns words (b, n, text_width) and their boxes into object tokens (b, n, object_width)."""

    def __init__(self, text_width: int, hidden: int, object_width: int) -> None:
        super().__init__()
        self.linears = nn.Sequential(
            nn.Linear(text_width + POSITION_WIDTH, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, object_width),
        )
        self.null_positive_feature = nn.Parameter(torch.zeros(text_width))
        self.null_position_feature = nn.Parameter(torch.zeros(POSITION_WIDTH))

    def forward(self, boxes: Tensor, used: Tensor, words: Tensor) -> Tensor:
        """boxes (b, n, 4) are left, top, right and bottom in 0..1; used (b, n) is 1 for real boxes, 0 for padding."""
        used = used[..., None]
        words = words * used + (1 - used) * self.null_positive_feature
        places = fourier(boxes) * used + (1 - used) * self.null_position_feature
        return self.linears(torch.cat([words, places], dim=-1))


def fourier(boxes: Tensor) -> Tensor:
    """Sines and cosines of box coordinates (b, n, 4) at eight frequencies from 1 to 100^(7/8): (b, n, 64)."""
    frequencies = 100 ** (torch.arange(FREQUENCIES, device=boxes.device, dtype=boxes.dtype) / FREQUENCIES)
    angles = boxes[:, :, None, :] * frequencies[:, None]
    return torch.stack([angles.sin(), angles.cos()], dim=3).flatten(2)


class GateAttention(nn.Module):
    """Self-attention over pixels and objects together."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(width, width, bias=False)
        self.to_v = nn.Linear(width, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return self.to_out(attention(self.to_q(x), self.to_k(x), self.to_v(x), self.heads))


class Gate(nn.Module):
    """Gated self-attention and perceptron between a block's self-attention and its attention to the prompt. Eq. 8."""

    def __init__(self, width: int, object_width: int, heads: int) -> None:
        super().__init__()
        self.linear = nn.Linear(object_width, width)
        self.attn = GateAttention(width, heads)
        self.ff = FeedForward(width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.alpha_attn = nn.Parameter(torch.tensor(0.0))
        self.alpha_dense = nn.Parameter(torch.tensor(0.0))

    def forward(self, x: Tensor, objects: Tensor) -> Tensor:
        """x (b, n, width) are pixels, objects (b, m, object_width) the tokens of the position net."""
        both = torch.cat([x, self.linear(objects)], dim=1)
        x = x + self.alpha_attn.tanh() * self.attn(self.norm1(both))[:, : x.shape[1]]
        return x + self.alpha_dense.tanh() * self.ff(self.norm2(x))


class Gligen(nn.Module):
    """The position net and the gates of a UNet."""

    def __init__(self, config: GligenConfig) -> None:
        super().__init__()
        self.config = config
        self.position_net = PositionNet(config.text_width, config.hidden, config.object_width)
        self.gates = nn.ModuleDict(
            {_slot(place): Gate(width, config.object_width, config.heads) for place, width in config.gates}
        )

    def forward(self, x: Tensor, place: Place, boxes: Tensor, used: Tensor, words: Tensor) -> Tensor:
        """The features x (b, n, width) of a transformer block that have seen the boxes (1, n, 4) and their words."""
        if _slot(place) not in self.gates:
            return x
        gate = cast(Gate, self.gates[_slot(place)])
        return gate(x, self.position_net(boxes, used, words).expand(len(x), -1, -1))


@dataclass(frozen=True, eq=False)
class TextBox:
    """Words as their pooled features (1, text_width), and the rectangle of the latent that they belong in."""

    words: Tensor
    area: Area


@dataclass(frozen=True, eq=False)
class GligenBoxes:
    """A GLIGEN model with the boxes it shows to a UNet."""

    model: Residence[Gligen]
    boxes: tuple[TextBox, ...]

    def __post_init__(self) -> None:
        if len(self.boxes) > MAX_BOXES:
            raise ValueError(f"GLIGEN takes up to {MAX_BOXES} boxes for a prompt: leave some out")

    @property
    def unet(self) -> UNetPatches:
        """What changes inside the UNet."""
        return UNetPatches(between_attentions=(self._gated,))

    def _gated(self, x: Tensor, place: Place, call: Call) -> Tensor:
        with self.model.on_device() as network:
            taken = network.config.text_width
            if self.boxes[0].words.shape[-1] != taken:
                raise ValueError(
                    f"the words of a box are {self.boxes[0].words.shape[-1]} wide, the GLIGEN model takes "
                    f"{taken}: encode them with the text encoder of a Stable Diffusion 1.x checkpoint"
                )
            like = x.to(self.model.dtype)
            return network(like, place, *self._inputs(call.shape, like)).to(x)

    def _inputs(self, shape: tuple[int, ...], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes (1, 30, 4) as shares of a latent's shape (b c h w), which are used (1, 30), and their words."""
        height, width = shape[2:]
        boxes, used = like.new_zeros(1, MAX_BOXES, 4), like.new_zeros(1, MAX_BOXES)
        words = like.new_zeros(1, MAX_BOXES, self.boxes[0].words.shape[-1])
        for number, box in enumerate(self.boxes):
            area = box.area
            corners = area.x / width, area.y / height, (area.x + area.width) / width, (area.y + area.height) / height
            boxes[0, number] = boxes.new_tensor(corners)
            words[0, number] = box.words[0].to(like)
            used[0, number] = 1
        return boxes, used, words
