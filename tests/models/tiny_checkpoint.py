"""A checkpoint in Stable Diffusion 1.x's key layout with random weights, small enough for a test (8 MB)."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.text.clip import ClipText, ClipTextConfig
from models.unet import Level, UNet, UNetConfig
from models.vae import Autoencoder, AutoencoderConfig

UNET = UNetConfig(4, 4, 32, (Level(32, (1,), (1, 1)), Level(64, (0,), (0, 0))), middle_depth=1, context_dim=64)
VAE = AutoencoderConfig(level_channels=(32, 32, 32, 32), res_blocks=1)
TEXT = ClipTextConfig(vocabulary=49408, positions=77, width=64, layers=2, mlp_width=128)


def tiny_networks(seed: int = 0) -> dict[str, nn.Module]:
    """Returns the three networks with random weights, by the prefix of their keys."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return {
            "model.diffusion_model.": UNet(UNET),
            "first_stage_model.": Autoencoder(VAE),
            "cond_stage_model.transformer.": ClipText(TEXT),
        }


def tiny_weights(seed: int = 0) -> dict[str, Tensor]:
    """Returns the tensors of a checkpoint, in half precision as published ones are."""
    return {
        prefix + name: tensor.half()
        for prefix, network in tiny_networks(seed).items()
        for name, tensor in network.state_dict().items()
    }


def write_tiny_checkpoint(path: Path, seed: int = 0, metadata: Mapping[str, str] | None = None) -> Path:
    """Writes a checkpoint and returns its path; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tiny_weights(seed), path, metadata=dict(metadata or {}))
    return path
