"""One LoRA in the spellings of the programs that write them, for networks small enough for a test."""

from collections.abc import Mapping

import torch
from torch import Tensor

from models.text.clip import ClipTextConfig
from models.text.encoders import TextEncoders
from models.unet import Level, UNet, UNetConfig

Shapes = Mapping[str, tuple[int, ...]]

UNET = UNetConfig(
    4, 4, 32, (Level(32, (1, 1), (1, 1, 1)), Level(64, (0, 0), (0, 0, 0))), middle_depth=1, context_dim=24
)
SMALL = ClipTextConfig(vocabulary=100, positions=77, width=64, layers=2, mlp_width=128)
PROJECTED = ClipTextConfig(vocabulary=100, positions=77, width=128, layers=2, mlp_width=128, projection=32)

LAYERS = {
    "input_blocks.1.1.transformer_blocks.0.attn2.to_k": "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k",
    "input_blocks.2.0.in_layers.2": "down_blocks.0.resnets.1.conv1",
    "middle_block.1.proj_in": "mid_block.attentions.0.proj_in",
    "output_blocks.3.1.transformer_blocks.0.attn1.to_out.0": (
        "up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0"
    ),
    "output_blocks.2.1.conv": "up_blocks.0.upsamplers.0.conv",
    "input_blocks.3.0.op": "down_blocks.0.downsamplers.0.conv",
}
"""Modules of the UNet with diffusers' names for them."""

TEXT_LAYERS = ("text_model.encoder.layers.0.self_attn.q_proj", "text_model.encoder.layers.1.mlp.fc2")


def shapes_of_unet() -> Shapes:
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in UNet(UNET).named_parameters()}


def shapes_of_text(*roles: str) -> Shapes:
    configs = {role: SMALL if role == "clip_l" else PROJECTED for role in roles}
    with torch.device("meta"):
        network = TextEncoders(configs)  # pyright: ignore[reportArgumentType]
        return {name: tuple(tensor.shape) for name, tensor in network.named_parameters()}


def pair(shape: tuple[int, ...], seed: str) -> tuple[Tensor, Tensor]:
    """The two matrices of a LoRA of rank 2 for a weight of this shape."""
    generator = torch.Generator().manual_seed(sum(map(ord, seed)))
    down = torch.randn(2, *shape[1:], generator=generator)
    return torch.randn(shape[0], 2, *[1] * (len(shape) - 2), generator=generator), down


def kohya(prefix: str, theirs: str, up: Tensor, down: Tensor) -> dict[str, Tensor]:
    stem = prefix + theirs.replace(".", "_")
    return {f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down, f"{stem}.alpha": torch.tensor(2.0)}


def diffusers(prefix: str, theirs: str, up: Tensor, down: Tensor) -> dict[str, Tensor]:
    return {f"{prefix}{theirs}.lora.up.weight": up, f"{prefix}{theirs}.lora.down.weight": down}


def linear_layer(prefix: str, theirs: str, up: Tensor, down: Tensor) -> dict[str, Tensor]:
    stem = f"{prefix}{theirs}.lora_linear_layer"
    return {f"{stem}.up.weight": up, f"{stem}.down.weight": down}


def peft(prefix: str, theirs: str, up: Tensor, down: Tensor) -> dict[str, Tensor]:
    return {f"{prefix}{theirs}.lora_B.weight": up, f"{prefix}{theirs}.lora_A.weight": down}


def peft_adapter(prefix: str, theirs: str, up: Tensor, down: Tensor) -> dict[str, Tensor]:
    stem = f"base_model.model.{prefix}{theirs}"
    return {f"{stem}.lora_B.default.weight": up, f"{stem}.lora_A.default.weight": down}


def peft_adapter_within(prefix: str, theirs: str, up: Tensor, down: Tensor) -> dict[str, Tensor]:
    return peft(f"{prefix}base_model.model.", theirs, up, down)
