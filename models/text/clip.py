"""CLIP's text transformer, arXiv:2103.00020. Names of parameters are those of the checkpoints (transformers layout)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers import attention

END_TOKEN = 49407


class UnknownTextEncoderError(ValueError):
    """The keys and shapes are not those of a CLIP text transformer."""


@dataclass(frozen=True)
class ClipTextConfig:
    """What a text encoder is made of. CLIP-L uses the quick approximation of GELU, OpenCLIP the exact one."""

    vocabulary: int
    positions: int
    width: int
    layers: int
    mlp_width: int
    quick_gelu: bool = True

    @property
    def heads(self) -> int:
        """Every CLIP has heads 64 channels wide."""
        return self.width // 64

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "ClipTextConfig":
        """Reads the configuration off keys that begin with `text_model.`. Raises UnknownTextEncoderError."""
        try:
            vocabulary, width = shapes["text_model.embeddings.token_embedding.weight"]
            positions = shapes["text_model.embeddings.position_embedding.weight"][0]
            mlp_width = shapes["text_model.encoder.layers.0.mlp.fc1.weight"][0]
        except KeyError as missing:
            raise UnknownTextEncoderError(f"no {missing.args[0]}: not a CLIP text encoder") from None
        layers = 0
        while f"text_model.encoder.layers.{layers}.layer_norm1.weight" in shapes:
            layers += 1
        return cls(vocabulary, positions, width, layers, mlp_width)


class Encoded(NamedTuple):
    """Hidden states (b, n, width) of the wanted layer, and the pooled output (b, width) at the first end token."""

    hidden: Tensor
    pooled: Tensor


class SelfAttention(nn.Module):
    """Causal self-attention: a token sees itself and those before it."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q_proj = nn.Linear(config.width, config.width)
        self.k_proj = nn.Linear(config.width, config.width)
        self.v_proj = nn.Linear(config.width, config.width)
        self.out_proj = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_proj(attention(self.q_proj(x), self.k_proj(x), self.v_proj(x), self.heads, causal=True))


class MLP(nn.Module):
    """The two-layer perceptron of a block."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.quick_gelu = config.quick_gelu
        self.fc1 = nn.Linear(config.width, config.mlp_width)
        self.fc2 = nn.Linear(config.mlp_width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        h = self.fc1(x)
        return self.fc2(h * torch.sigmoid(1.702 * h) if self.quick_gelu else F.gelu(h))


class EncoderLayer(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.self_attn = SelfAttention(config)
        self.layer_norm1 = nn.LayerNorm(config.width)
        self.mlp = MLP(config)
        self.layer_norm2 = nn.LayerNorm(config.width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Embeddings(nn.Module):
    """A vector for each token plus a vector for each position."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocabulary, config.width)
        self.position_embedding = nn.Embedding(config.positions, config.width)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.token_embedding(tokens) + self.position_embedding.weight[: tokens.shape[1]]


class Encoder(nn.Module):
    """The stack of blocks."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Returns the output of every block, first to last."""
        outputs: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            outputs.append(x)
        return outputs


class TextModel(nn.Module):
    """Embeddings, blocks and the final norm."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.final_layer_norm = nn.LayerNorm(config.width)


class ClipText(nn.Module):
    """Encodes tokens (b, n), n ≤ positions."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.config = config
        self.text_model = TextModel(config)

    def forward(self, tokens: Tensor, layer: int = -1, final_norm: bool = True) -> Encoded:
        """Returns the hidden states of a layer counted from the end (-1 is the last block) and the pooled output.

        A layer beyond the first block means the last one, as in ComfyUI. The pooled output always comes from the last
        block after the final norm.
        """
        norm = self.text_model.final_layer_norm
        outputs = self.text_model.encoder(self.text_model.embeddings(tokens))
        last = norm(outputs[-1])
        hidden = outputs[layer if -len(outputs) <= layer < 0 else -1]
        ends = (tokens == END_TOKEN).int().argmax(dim=1)
        pooled = last[torch.arange(len(tokens), device=tokens.device), ends]
        return Encoded(norm(hidden) if final_norm else hidden, pooled)
