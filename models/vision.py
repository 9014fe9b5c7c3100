"""CLIP's vision transformer, arXiv:2103.00020. Names of parameters are those of the files (transformers layout)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.text.clip import Encoder

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Of the red, green and blue of CLIP's training pictures."""

LAYERS_OF_CLIP_L = 24


class UnknownVisionError(ValueError):
    """The keys and shapes are not those of a CLIP vision encoder."""


@dataclass(frozen=True)
class ClipVisionConfig:
    """What a vision encoder is made of. CLIP-L uses the quick approximation of GELU, H and G the exact one."""

    width: int
    layers: int
    mlp_width: int
    patch: int
    grid: int
    """Patches along a side of the picture."""
    projection: int
    quick_gelu: bool
    heads: int = 16
    """CLIP-L, H and G all have sixteen."""

    @property
    def side(self) -> int:
        """Side in pixels of the square pictures it looks at."""
        return self.patch * self.grid

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "ClipVisionConfig":
        """Reads the configuration off keys as transformers names them. Raises UnknownVisionError."""
        try:
            width, _, patch, _ = shapes["vision_model.embeddings.patch_embedding.weight"]
            positions = shapes["vision_model.embeddings.position_embedding.weight"][0]
            mlp_width = shapes["vision_model.encoder.layers.0.mlp.fc1.weight"][0]
            projection = shapes["visual_projection.weight"][0]
        except (KeyError, ValueError) as missing:
            raise UnknownVisionError(f"no {missing.args[0]}: not a CLIP vision encoder") from None
        layers = 0
        while f"vision_model.encoder.layers.{layers}.layer_norm1.weight" in shapes:
            layers += 1
        quick_gelu = layers <= LAYERS_OF_CLIP_L
        return cls(width, layers, mlp_width, patch, isqrt(positions - 1), projection, quick_gelu)


@dataclass(frozen=True, eq=False)
class Seen:
    """What CLIP makes of pictures: one vector each, comparable to a prompt's, and what its last blocks put out.

    The names are transformers', by which custom nodes ask.
    """

    image_embeds: Tensor
    """(b, projection)."""
    last_hidden_state: Tensor
    """(b, 1 + patches, width), of the last block."""
    penultimate_hidden_states: Tensor
    """The same of the block before."""


class Embeddings(nn.Module):
    """A learned vector for the whole, one for each patch, plus a vector for each position."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.randn(config.width))
        self.patch_embedding = nn.Conv2d(3, config.width, config.patch, stride=config.patch, bias=False)
        self.position_embedding = nn.Embedding(config.grid**2 + 1, config.width)

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)
        whole = self.class_embedding.expand(len(pixels), 1, -1)
        vectors = torch.cat([whole, patches], dim=1)
        return vectors + self.position_embedding(torch.arange(vectors.shape[1], device=vectors.device))


class VisionModel(nn.Module):
    """Embeddings, blocks and the norms around them."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.pre_layrnorm = nn.LayerNorm(config.width)  # spelled so in the files
        self.encoder = Encoder(config, causal=False)
        self.post_layernorm = nn.LayerNorm(config.width)


class ClipVision(nn.Module):
    """Looks at pictures made ready by `prepared`: (b, 3, side, side)."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_model = VisionModel(config)
        self.visual_projection = nn.Linear(config.width, config.projection, bias=False)

    def forward(self, pixels: Tensor) -> Seen:
        embedded = self.vision_model.pre_layrnorm(self.vision_model.embeddings(pixels))
        outputs = self.vision_model.encoder(embedded)
        pooled = self.vision_model.post_layernorm(outputs[-1][:, 0])
        return Seen(self.visual_projection(pooled), outputs[-1], outputs[-2] if len(outputs) > 1 else embedded)


def prepared(pictures: Tensor, side: int, crop: bool) -> Tensor:
    """Pictures (b, h, w, 3) in 0..1, resized to squares and normalized as in CLIP's training: (b, 3, side, side).

    `crop` keeps the shape and cuts off what is outside the middle; otherwise the picture is squeezed.
    """
    pixels = pictures[..., :3].movedim(-1, 1)
    height, width = pixels.shape[2:]
    if (height, width) != (side, side):
        scale = side / min(height, width)
        size = (round(scale * height), round(scale * width)) if crop else (side, side)
        pixels = F.interpolate(pixels, size=size, mode="bicubic", antialias=True)
        top, left = (size[0] - side) // 2, (size[1] - side) // 2
        pixels = pixels[:, :, top : top + side, left : left + side]
    pixels = (pixels * 255).clamp(0, 255).round() / 255  # the steps that 8-bit pictures have
    mean, std = pixels.new_tensor(MEAN)[:, None, None], pixels.new_tensor(STD)[:, None, None]
    return (pixels - mean) / std
