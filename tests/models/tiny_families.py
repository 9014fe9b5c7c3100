"""Files of every family with random weights: the published structure and key layout, as narrow as a test wants it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from models.loading.family import Family
from models.memory import DevicePolicy
from models.text.clip import ClipText, ClipTextConfig
from models.text.encoders import ROLE_FACTS, Role, TextEncoders
from models.text.tokenizer import Tokenizer
from models.types import Clip
from models.unet import Level, UNet, UNetConfig
from models.vae import Autoencoder
from tests.models.tiny_checkpoint import VAE

SIZES, SCORES = 6 * 256, 5 * 256
"""Channels of a UNet's vector that numbers take: SDXL's six, the refiner's five."""

PROJECTED = 48
"""Width of the pooled output of the encoders that project it."""


def levels(*depths: tuple[int, ...], width: int = 64) -> tuple[Level, ...]:
    """Levels of one width; each has one transformer more on the way up than down."""
    return tuple(Level(width, down, (*down, down[-1])) for down in depths)


SD1 = UNetConfig(4, 4, 32, levels((1,), (0,), width=32), middle_depth=1, context_dim=64)
SD2 = replace(
    SD1,
    model_channels=64,
    levels=levels((1, 1), (1, 1), (1, 1), (0, 0)),
    heads=None,
    head_channels=64,
    linear_projection=True,
)
SDXL = replace(
    SD2, levels=levels((0, 0), (2, 2), (3, 3)), middle_depth=3, context_dim=128, adm_in_channels=PROJECTED + SIZES
)
SHALLOW_SDXL = replace(SDXL, levels=levels((0,), (1,)), middle_depth=1)
"""For what does not hang on SDXL's depths: it loads in half the time."""
REFINER = replace(
    SDXL, levels=levels((0,), (2,), (2,), (0,)), middle_depth=2, context_dim=64, adm_in_channels=PROJECTED + SCORES
)


@dataclass(frozen=True)
class Tiny:
    """What a file of a family holds: the UNet, and by the prefix of their keys the text encoders."""

    unet: UNetConfig
    text: Mapping[str, Role]
    markers: Mapping[str, Tensor] | None = None


CLIP_L = {"cond_stage_model.transformer.": "clip_l"}
CLIP_H = {"cond_stage_model.model.": "clip_h"}
CLIP_LG = {"conditioner.embedders.0.transformer.": "clip_l", "conditioner.embedders.1.model.": "clip_g"}
CLIP_G = {"conditioner.embedders.0.model.": "clip_g"}
EMPTY = torch.zeros(0)

TINY: Mapping[str, Tiny] = {
    "Stable Diffusion 1.x": Tiny(SD1, CLIP_L),
    "Stable Diffusion 1.x inpainting": Tiny(replace(SD1, in_channels=9), CLIP_L),
    "instruct-pix2pix (Stable Diffusion 1.x)": Tiny(replace(SD1, in_channels=8), CLIP_L),
    "Stable Diffusion 2.x": Tiny(SD2, CLIP_H),
    "Stable Diffusion 2.x inpainting": Tiny(replace(SD2, in_channels=9), CLIP_H),
    "Stable Diffusion 2.1 unCLIP": Tiny(replace(SD2, adm_in_channels=2 * 24), CLIP_H),
    "Stable Diffusion XL": Tiny(SDXL, CLIP_LG),
    "Stable Diffusion XL inpainting": Tiny(replace(SHALLOW_SDXL, in_channels=9), CLIP_LG),
    "Stable Diffusion XL edit (instruct-pix2pix)": Tiny(replace(SHALLOW_SDXL, in_channels=8), CLIP_LG),
    "Stable Diffusion XL refiner": Tiny(REFINER, CLIP_G),
    "SSD-1B (distilled Stable Diffusion XL)": Tiny(
        replace(SDXL, levels=levels((0, 0), (2, 2), (4, 4)), middle_depth=0, middle_blocks=1), CLIP_LG
    ),
    "Segmind Vega (distilled Stable Diffusion XL)": Tiny(
        replace(SDXL, levels=levels((0, 0), (1, 1), (2, 2)), middle_depth=0, middle_blocks=1), CLIP_LG
    ),
    "KOALA-700M (distilled Stable Diffusion XL)": Tiny(
        replace(SDXL, levels=levels((0,), (2,), (5,)), middle_depth=0, middle_blocks=0), CLIP_LG
    ),
    "KOALA-1B (distilled Stable Diffusion XL)": Tiny(
        replace(SDXL, levels=levels((0,), (2,), (6,)), middle_depth=6), CLIP_LG
    ),
}
"""By the family's name."""


def text_config(role: Role, layers: int = 3) -> ClipTextConfig:
    """The configuration of a narrow text encoder."""
    facts = ROLE_FACTS[role]
    return ClipTextConfig(
        49408, 77, 64, layers, 128, facts.quick_gelu, projection=PROJECTED if facts.projected else None
    )


def written(network: nn.Module, prefix: str) -> dict[str, Tensor]:
    """The network's tensors in half precision, under the keys of a file."""
    return {prefix + name: tensor.half() for name, tensor in network.state_dict().items()}


def text_weights(role: Role, prefix: str, layers: int = 3) -> dict[str, Tensor]:
    """A text encoder's tensors, under OpenCLIP's names if the prefix is one that has them."""
    weights = written(ClipText(text_config(role, layers)), "")
    if prefix.endswith("transformer.") or not prefix:
        return {prefix + name: tensor for name, tensor in weights.items()}
    return {prefix + name: tensor for name, tensor in in_open_clip(weights).items()} | {
        f"{prefix}logit_scale": torch.tensor(4.6)
    }


OPEN_CLIP = {
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.embeddings.token_embedding.": "token_embedding.",
    "text_model.final_layer_norm.": "ln_final.",
    "text_model.encoder.layers.": "transformer.resblocks.",
    ".layer_norm1.": ".ln_1.",
    ".layer_norm2.": ".ln_2.",
    ".mlp.fc1.": ".mlp.c_fc.",
    ".mlp.fc2.": ".mlp.c_proj.",
    ".self_attn.out_proj.": ".attn.out_proj.",
}


def in_open_clip(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A text encoder's tensors as OpenCLIP writes them: queries, keys and values in one, the projection transposed."""
    found: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if match := re.fullmatch(r"(.+\.)self_attn\.q_proj\.(weight|bias)", name):
            parts = [weights[f"{match[1]}self_attn.{part}_proj.{match[2]}"] for part in "qkv"]
            name, tensor = f"{match[1]}attn.in_proj_{match[2]}", torch.cat(parts)
        elif re.search(r"self_attn\.[kv]_proj", name):
            continue
        elif name == "text_projection.weight":
            name, tensor = "text_projection", tensor.T.contiguous()
        for theirs, ours in OPEN_CLIP.items():
            name = name.replace(theirs, ours)
        found[name] = tensor
    return found


def text_encoders(family: Family, seed: int = 0) -> Clip:
    """The narrow text encoders of a family, as loading them gives them."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = TextEncoders({use.role: text_config(use.role) for use in family.encoders})
    resident = DevicePolicy.choose(cpu=True).resident(network.eval().requires_grad_(False), torch.float32)
    return Clip(resident, Tokenizer(), family.encoders)


def family_weights(tiny: Tiny, seed: int = 0) -> dict[str, Tensor]:
    """The tensors of a single-file checkpoint."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        weights = written(UNet(tiny.unet), "model.diffusion_model.") | written(Autoencoder(VAE), "first_stage_model.")
        for prefix, role in tiny.text.items():
            weights |= text_weights(role, prefix)
    return weights | dict(tiny.markers or {})
