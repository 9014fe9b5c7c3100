"""The families of models that can be loaded, one row each, and what other files are called by their marker keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from models.loading.family import Family
from models.text.encoders import EncoderUse
from models.types import LatentFormat

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

SDXL_LATENT = LatentFormat(
    channels=4,
    scale=0.13025,
    stride=8,
    rgb_factors=(
        (0.3651, 0.4232, 0.4341),
        (-0.2533, -0.0042, 0.1068),
        (0.1076, 0.1111, -0.0362),
        (-0.3165, -0.2492, -0.2188),
    ),
    rgb_bias=(0.1084, -0.0175, -0.0011),
)
"""How Stable Diffusion XL scales latents."""

PLAYGROUND_LATENT = replace(
    SDXL_LATENT,
    scale=0.5,
    mean=(-1.6574, 1.886, -1.383, 2.5155),
    std=(8.4927, 5.9022, 6.5498, 5.2299),
)
"""How Playground 2.5 scales latents, arXiv:2402.17245."""

SD1 = Family(
    name="Stable Diffusion 1.x",
    encoders=(EncoderUse("clip_l"),),
    linear_projection=False,
    latent_format=SD_LATENT,
)
SD1_INPAINT = replace(SD1, name="Stable Diffusion 1.x inpainting", channels="inpaint")
SD1_EDIT = replace(SD1, name="instruct-pix2pix (Stable Diffusion 1.x)", channels="edit")

SD2 = Family(
    name="Stable Diffusion 2.x",
    encoders=(EncoderUse("clip_h", layer=-2),),
    linear_projection=True,
    latent_format=SD_LATENT,
    told_by_bias=True,
)
SD2_INPAINT = replace(SD2, name="Stable Diffusion 2.x inpainting", channels="inpaint", told_by_bias=False)
SD2_UNCLIP = replace(SD2, name="Stable Diffusion 2.1 unCLIP", vector="picture", context_dim=1024)

SDXL = Family(
    name="Stable Diffusion XL",
    encoders=(EncoderUse("clip_l", layer=-2, final_norm=False), EncoderUse("clip_g", layer=-2, final_norm=False)),
    linear_projection=True,
    latent_format=SDXL_LATENT,
    vector="sizes",
    context_dim=2048,
    pooled=1280,
)
SDXL_INPAINT = replace(SDXL, name="Stable Diffusion XL inpainting", channels="inpaint")
SDXL_EDIT = replace(SDXL, name="Stable Diffusion XL edit (instruct-pix2pix)", channels="edit")
SDXL_REFINER = replace(
    SDXL,
    name="Stable Diffusion XL refiner",
    encoders=(EncoderUse("clip_g", layer=-2, final_norm=False),),
    vector="aesthetic",
    context_dim=1280,
)
SSD_1B = replace(SDXL, name="SSD-1B (distilled Stable Diffusion XL)", depths=((0, 0), (2, 2), (4, 4)))
SEGMIND_VEGA = replace(SDXL, name="Segmind Vega (distilled Stable Diffusion XL)", depths=((0, 0), (1, 1), (2, 2)))
KOALA_700M = replace(SDXL, name="KOALA-700M (distilled Stable Diffusion XL)", depths=((0,), (2,), (5,)))
KOALA_1B = replace(SDXL, name="KOALA-1B (distilled Stable Diffusion XL)", depths=((0,), (2,), (6,)))

FAMILIES: tuple[Family, ...] = (
    SD1, SD1_INPAINT, SD1_EDIT, SD2, SD2_INPAINT, SD2_UNCLIP,
    SSD_1B, SEGMIND_VEGA, KOALA_700M, KOALA_1B, SDXL, SDXL_INPAINT, SDXL_EDIT, SDXL_REFINER,
)  # fmt: skip
"""In the order in which they are tried: those told by their depths before the one that may have any."""


@dataclass(frozen=True)
class Stranger:
    """A kind of file that is known by name only: some key of it contains the marker."""

    name: str
    marker: str


STRANGERS: Sequence[Stranger] = (
    Stranger("a ControlNet for Flux or Stable Diffusion 3", "controlnet_blocks."),
    Stranger("a Stable Diffusion 3 model", "joint_blocks.0."),
    Stranger("a Flux model", "double_blocks.0."),
    Stranger("a ControlNet", "input_hint_block."),
    Stranger("a ControlNet", "controlnet_cond_embedding."),
    Stranger("a ControlNet-LLLite", "lllite_unet_"),
    Stranger("an IP-Adapter", "ip_adapter."),
    Stranger("a motion module (AnimateDiff)", ".motion_modules."),
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
