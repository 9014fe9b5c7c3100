"""CLIP's text transformer, arXiv:2103.00020. Names of parameters are those of the checkpoints (transformers layout)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers import attention

END_TOKEN = 49407


class UnknownTextEncoderError(ValueError):
    """The keys and shapes are not those of a CLIP text transformer."""


@dataclass(frozen=True)
class ClipTextConfig:
    """What a text encoder is made of. CLIP-L uses the quick approximation of GELU, OpenCLIP the exact one.

    `projection` is the width the pooled output is projected to, None where it is not. `layers_left_out` counts blocks
    that the trained network has at its end and the file has not.
    """

    vocabulary: int
    positions: int
    width: int
    layers: int
    mlp_width: int
    quick_gelu: bool = True
    projection: int | None = None
    layers_left_out: int = 0

    @property
    def heads(self) -> int:
        """Every CLIP has heads 64 channels wide."""
        return self.width // 64

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "ClipTextConfig":
        """Reads the configuration off keys as transformers names them. Raises UnknownTextEncoderError."""
        try:
            vocabulary, width = shapes["text_model.embeddings.token_embedding.weight"]
            positions = shapes["text_model.embeddings.position_embedding.weight"][0]
            mlp_width = shapes["text_model.encoder.layers.0.mlp.fc1.weight"][0]
        except KeyError as missing:
            raise UnknownTextEncoderError(f"no {missing.args[0]}: not a CLIP text encoder") from None
        layers = 0
        while f"text_model.encoder.layers.{layers}.layer_norm1.weight" in shapes:
            layers += 1
        projection = shapes.get("text_projection.weight", (None,))[0]
        return cls(vocabulary, positions, width, layers, mlp_width, projection=projection)


class Encoded(NamedTuple):
    """Hidden states (b, n, width) of the wanted layer, and the pooled output (b, width') at the first end token."""

    hidden: Tensor
    pooled: Tensor


class Given(NamedTuple):
    """A vector (width,) that stands in place of the one of a token."""

    row: int
    position: int
    vector: Tensor


class TransformerConfig(Protocol):
    """What a stack of blocks must know, be it of CLIP's text or of its vision side."""

    @property
    def width(self) -> int: ...

    @property
    def heads(self) -> int: ...

    @property
    def layers(self) -> int: ...

    @property
    def mlp_width(self) -> int: ...

    @property
    def quick_gelu(self) -> bool: ...


class SelfAttention(nn.Module):
    """Self-attention; a causal one lets a token see itself and those before it."""

    def __init__(self, config: TransformerConfig, causal: bool) -> None:
        super().__init__()
        self.heads = config.heads
        self.causal = causal
        self.q_proj = nn.Linear(config.width, config.width)
        self.k_proj = nn.Linear(config.width, config.width)
        self.v_proj = nn.Linear(config.width, config.width)
        self.out_proj = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_proj(attention(self.q_proj(x), self.k_proj(x), self.v_proj(x), self.heads, causal=self.causal))


class MLP(nn.Module):
    """The two-layer perceptron of a block."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.quick_gelu = config.quick_gelu
        self.fc1 = nn.Linear(config.width, config.mlp_width)
        self.fc2 = nn.Linear(config.mlp_width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        h = self.fc1(x)
        return self.fc2(h * torch.sigmoid(1.702 * h) if self.quick_gelu else F.gelu(h))


class EncoderLayer(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, config: TransformerConfig, causal: bool) -> None:
        super().__init__()
        self.self_attn = SelfAttention(config, causal)
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

    def forward(self, tokens: Tensor, given: Sequence[Given] = ()) -> Tensor:
        vectors = self.token_embedding(tokens)
        for row, position, vector in given:
            vectors[row, position] = vector.to(vectors)
        return vectors + self.position_embedding(torch.arange(tokens.shape[1], device=tokens.device))


class Encoder(nn.Module):
    """The stack of blocks."""

    def __init__(self, config: TransformerConfig, causal: bool = True) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config, causal) for _ in range(config.layers))

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
        if config.projection is not None:
            self.text_projection = nn.Linear(config.width, config.projection, bias=False)

    def forward(self, tokens: Tensor, layer: int = -1, final_norm: bool = True, given: Sequence[Given] = ()) -> Encoded:
        """Returns the hidden states of a layer counted from the end (-1 is the last block) and the pooled output.

        A layer beyond the first block means the last one after the final norm, as in ComfyUI. The pooled output always
        comes from the last block after the final norm, and is projected where the encoder has a projection.
        """
        norm = self.text_model.final_layer_norm
        outputs = self.text_model.encoder(self.text_model.embeddings(tokens, given))
        last = norm(outputs[-1])
        ends = (tokens == END_TOKEN).int().argmax(dim=1)
        pooled = last[torch.arange(len(tokens), device=tokens.device), ends]
        if self.config.projection is not None:
            pooled = self.text_projection(pooled)
        layer = min(layer + self.config.layers_left_out, -1)
        if layer < -len(outputs):
            return Encoded(last, pooled)
        return Encoded(norm(outputs[layer]) if final_norm else outputs[layer], pooled)
