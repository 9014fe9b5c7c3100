"""Writes the trained networks as one Stable Diffusion 1.x file: half precision, SD's keys, SD's latent scale."""

import json
import math
import os
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from models.text.clip import ClipText
from models.unet import UNet
from models.vae import Autoencoder

SD_LATENT_SCALE = 0.18215


def fold_latent_scale(network: Autoencoder, scale: float) -> None:
    """Change the autoencoder in place so that its latents times SD's scale are what they were times `scale`."""
    factor = scale / SD_LATENT_SCALE
    channels = network.config.latent_channels
    quant, post = network.quant_conv, network.post_quant_conv
    assert quant.bias is not None
    with torch.no_grad():
        quant.weight[:channels] *= factor
        quant.bias[:channels] *= factor
        quant.bias[channels:] += 2 * math.log(factor)
        post.weight /= factor


@torch.no_grad()
def preview_colors(network: Autoencoder, images: Tensor) -> Tensor:
    """Fit the colors of pictures (-1..1) to their scaled latents: (channels + 1, 3), the last row is the bias."""
    latents = network.encode(images)[0].float() * SD_LATENT_SCALE
    rows = latents.permute(0, 2, 3, 1).flatten(0, 2)
    rows = torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
    colors = F.adaptive_avg_pool2d(images, (latents.shape[2], latents.shape[3])).permute(0, 2, 3, 1).flatten(0, 2)
    return torch.linalg.lstsq(rows, colors).solution


def export_checkpoint(
    unet: UNet, autoencoder: Autoencoder, encoder: ClipText, scale: float, pictures: Tensor, path: Path
) -> None:
    """Write the checkpoint; `scale` is the factor that the UNet's training multiplied latents by.

    What SD 1.x's shapes do not tell is in the metadata: the autoencoder's norm groups and the colors of its latents.
    """
    fold_latent_scale(autoencoder, scale)
    colors = preview_colors(autoencoder, pictures)
    tensors: dict[str, Tensor] = {}
    for prefix, network in (
        ("model.diffusion_model.", unet),
        ("first_stage_model.", autoencoder),
        ("cond_stage_model.transformer.", encoder),
    ):
        tensors.update({prefix + name: value.half().contiguous() for name, value in network.state_dict().items()})
    metadata = {
        "first_stage_model.norm_num_groups": str(autoencoder.config.norm_groups),
        "latent_rgb_factors": json.dumps([[round(value, 4) for value in row] for row in colors[:-1].tolist()]),
        "latent_rgb_bias": json.dumps([round(value, 4) for value in colors[-1].tolist()]),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    save_file(tensors, partial, metadata=metadata)
    partial.chmod(0o644)
    os.replace(partial, path)
