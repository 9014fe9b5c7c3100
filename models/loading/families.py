"""The families of models that can be loaded, one row each, and what other files are called by their marker keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from models.text.clip import ClipTextConfig
from models.types import LatentFormat
from models.unet import UNetConfig

SD_LATENT = LatentFormat(
    channels=4,
    scale=0.18215,
    stride=8,
    rgb_factors=(
        (0.3512, 0.2297, 0.3227),
        (0.3250, 0.4974, 0.2350),
        (-0.2829, 0.1762, 0.2721),
        (-0.2120, -0.2616, -0.7177),
    ),
)
"""How Stable Diffusion 1.x and 2.x scale latents."""


@dataclass(frozen=True)
class Family:
    """What the files of a family have in common. Prefixes are those of its single-file checkpoints."""

    name: str
    unet_prefix: str
    vae_prefix: str
    text_prefix: str
    in_channels: int
    linear_projection: bool
    vector_conditioned: bool
    tokens: int
    positions: int
    latent_format: LatentFormat
    prediction: Literal["eps", "v"] = "eps"

    def differences(self, unet: UNetConfig, text: ClipTextConfig | None) -> list[str]:
        """Says where a checkpoint is not of this family; an empty list means that it is."""
        found: list[str] = []
        if unet.in_channels != self.in_channels:
            found.append(f"its UNet takes {unet.in_channels} channels, not {self.in_channels}")
        if unet.linear_projection != self.linear_projection:
            found.append("its transformers are projected by linear layers, not by convolutions")
        if (unet.adm_in_channels is not None) != self.vector_conditioned:
            found.append("its UNet is conditioned on a vector (label_emb)")
        if not all(_divides(unet.heads_of(level.channels), level.channels) for level in unet.levels):
            found.append("its UNet's widths cannot be shared evenly among attention heads")
        return found + (self._differences_of_text(unet, text) if text else [])

    def _differences_of_text(self, unet: UNetConfig, text: ClipTextConfig) -> list[str]:
        found: list[str] = []
        if (text.vocabulary, text.positions) != (self.tokens, self.positions):
            found.append(
                f"its text encoder knows {text.vocabulary} tokens at {text.positions} positions, "
                f"not {self.tokens} at {self.positions}"
            )
        if text.width % 64:
            found.append(f"its text encoder's width of {text.width} is no multiple of 64")
        if text.width != unet.context_dim:
            found.append(f"its UNet wants features of width {unet.context_dim}, its text encoder makes {text.width}")
        return found


def _divides(heads: int, channels: int) -> bool:
    return heads > 0 and channels % heads == 0


SD1 = Family(
    name="Stable Diffusion 1.x",
    unet_prefix="model.diffusion_model.",
    vae_prefix="first_stage_model.",
    text_prefix="cond_stage_model.transformer.",
    in_channels=4,
    linear_projection=False,
    vector_conditioned=False,
    tokens=49408,
    positions=77,
    latent_format=SD_LATENT,
)

FAMILIES: tuple[Family, ...] = (SD1,)


@dataclass(frozen=True)
class Stranger:
    """A kind of file that is known by name only: some key of it contains the marker."""

    name: str
    marker: str


STRANGERS: Sequence[Stranger] = (
    Stranger("a Stable Diffusion XL checkpoint", "conditioner.embedders."),
    Stranger("a Stable Diffusion 2.x checkpoint", "cond_stage_model.model."),
    Stranger("a Stable Diffusion 3 model", "joint_blocks.0."),
    Stranger("a Flux model", "double_blocks.0."),
    Stranger("a ControlNet", "input_hint_block."),
    Stranger("a ControlNet", "controlnet_cond_embedding."),
    Stranger("a LoRA", ".lora_down."),
    Stranger("a LoRA", ".lora_A."),
    Stranger("a LoHa or LoKr adapter", ".hada_w1"),
    Stranger("a LoHa or LoKr adapter", ".lokr_w"),
    Stranger("a textual inversion embedding", "emb_params"),
    Stranger("a textual inversion embedding", "string_to_param"),
    Stranger("a UNet in diffusers layout", "down_blocks.0.resnets."),
    Stranger("an upscaler (ESRGAN)", "model.1.sub.0."),
    Stranger("a CLIP vision encoder", "vision_model."),
    Stranger("an autoencoder alone", "decoder.conv_in.weight"),
    Stranger("a text encoder alone", "text_model.embeddings."),
)


def stranger(shapes: Mapping[str, Sequence[int]]) -> str | None:
    """Says what a file that is no checkpoint of ours seems to be."""
    return next((kind.name for kind in STRANGERS if any(kind.marker in key for key in shapes)), None)
