"""Latents in files: safetensors with one tensor and texts, as ComfyUI writes and reads them."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from models.loading.files import open_tensors
from models.loading.header import ModelFileError

TENSOR = "latent_tensor"
RAW_MARK = "latent_format_version_0"
"""A key that marks latents as the autoencoder makes them; files without it hold them scaled for Stable Diffusion 1."""
OLD_SCALE = 0.18215


def latent_bytes(samples: Tensor, texts: Mapping[str, str]) -> bytes:
    """The content of a file that holds a latent (b, c, h, w) and these texts."""
    tensors = {TENSOR: samples.detach().cpu().contiguous(), RAW_MARK: torch.tensor([])}
    return save(tensors, dict(texts))


def read_latent(path: Path) -> Tensor:
    """The raw latent (b, c, h, w) of a file, float32. Raises ModelFileError."""
    with open_tensors(path) as file:
        if TENSOR not in file.shapes:
            raise ModelFileError(f"{path.name} holds no latent: SaveLatent writes such files")
        samples = file.read(TENSOR, torch.float32)
        return samples if RAW_MARK in file.shapes else samples / OLD_SCALE
