"""GLIGEN, arXiv:2301.07093: gated self-attention that shows a UNet which words belong in which box."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.layers import attention
from models.unet import FeedForward

MAX_BOXES = 30
"""Boxes that GLIGEN was trained with; unused ones are filled with learned placeholders."""

FREQUENCIES = 8
POSITION_WIDTH = FREQUENCIES * 2 * 4
"""Sines and cosines of the box's four coordinates."""

_FUSER = re.compile(
    r"((?:input|output)_blocks\.\d+|middle_block)\.(\d+)\.transformer_blocks\.(\d+)\.fuser\.linear\.weight"
)


class UnknownGligenError(ValueError):
    """The keys and shapes are not those of a GLIGEN text-box model."""


@dataclass(frozen=True)
class GligenConfig:
    """Widths, and for each transformer block of the UNet that gets a gate (by its key) how wide it is."""

    text_width: int
    hidden: int
    object_width: int
    gates: tuple[tuple[str, int], ...]

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "GligenConfig":
        """Reads the configuration off keys and shapes. Raises UnknownGligenError."""
        gates = [(key.removesuffix(".fuser.linear.weight"), shapes[key][0]) for key in shapes if _FUSER.fullmatch(key)]
        try:
            text_width = shapes["position_net.null_positive_feature"][0]
            hidden = shapes["position_net.linears.0.weight"][0]
            object_width = shapes["position_net.linears.4.weight"][0]
        except KeyError as missing:
            raise UnknownGligenError(f"no {missing.args[0]}: not a GLIGEN text-box model") from None
        return cls(text_width, hidden, object_width, tuple(gates))


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
