"""T2I-Adapter's style model, arXiv:2302.08453 § 3.3: turns CLIP's view of a picture into a few prompt tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.adapters.attention_block import ResidualAttentionBlock


class UnknownStyleModelError(ValueError):
    """The keys and shapes are not those of a style model."""


@dataclass(frozen=True)
class StyleModelConfig:
    """Widths of what goes in and comes out, and how many tokens come out."""

    width: int
    context_dim: int
    tokens: int
    layers: int
    heads: int = 8

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "StyleModelConfig":
        """Reads the configuration off keys and shapes. Raises UnknownStyleModelError."""
        try:
            width, context_dim = shapes["proj"]
            tokens = shapes["style_embedding"][1]
        except (KeyError, ValueError, IndexError):
            raise UnknownStyleModelError("no proj or style_embedding: not a style model for SD 1.x") from None
        layers = 0
        while f"transformer_layes.{layers}.ln_1.weight" in shapes:
            layers += 1
        return cls(width, context_dim, tokens, layers)


class StyleModel(nn.Module):
    """Reads CLIP's tokens of a picture (b, n, width); returns prompt tokens (b, tokens, context_dim)."""

    def __init__(self, config: StyleModelConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer_layes = nn.Sequential(  # spelled so in the files
            *(ResidualAttentionBlock(config.width, config.heads) for _ in range(config.layers))
        )
        self.ln_post = nn.LayerNorm(config.width)
        self.ln_pre = nn.LayerNorm(config.width)
        self.style_embedding = nn.Parameter(torch.randn(1, config.tokens, config.width) * config.width**-0.5)
        self.proj = nn.Parameter(torch.randn(config.width, config.context_dim) * config.width**-0.5)

    def forward(self, picture: Tensor) -> Tensor:
        questions = self.style_embedding.expand(len(picture), -1, -1)
        x = self.transformer_layes(self.ln_pre(torch.cat([picture, questions], dim=1)))
        return self.ln_post(x[:, -self.config.tokens :]) @ self.proj
