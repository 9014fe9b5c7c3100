"""Makes a full-size Stable Diffusion 1.x checkpoint of random weights, for measuring without published files.

python -m benchmarks.random_checkpoint OUT.safetensors
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from models.text.clip import ClipText, ClipTextConfig
from models.unet import Level, UNet, UNetConfig
from models.vae import Autoencoder, AutoencoderConfig

UNET = UNetConfig(
    in_channels=4,
    out_channels=4,
    model_channels=320,
    levels=(
        Level(320, (1, 1), (1, 1, 1)),
        Level(640, (1, 1), (1, 1, 1)),
        Level(1280, (1, 1), (1, 1, 1)),
        Level(1280, (0, 0), (0, 0, 0)),
    ),
    middle_depth=1,
    context_dim=768,
)
AUTOENCODER = AutoencoderConfig(level_channels=(128, 256, 512, 512), res_blocks=2)
CLIP = ClipTextConfig(vocabulary=49408, positions=77, width=768, layers=12, mlp_width=3072)


def make(path: Path) -> None:
    """Writes the file (2.1 GB, fp16, repeatable)."""
    torch.manual_seed(0)
    parts: dict[str, nn.Module] = {
        "model.diffusion_model.": UNet(UNET),
        "first_stage_model.": Autoencoder(AUTOENCODER),
        "cond_stage_model.transformer.": ClipText(CLIP),
    }
    tensors = {
        prefix + key: value.half().contiguous()
        for prefix, network in parts.items()
        for key, value in network.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(Path(sys.argv[1]))
