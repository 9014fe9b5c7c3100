"""Encodes the rendered pictures once, in chunks that a stopped run need not make again."""

import os
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from tqdm import tqdm

from models.vae import Autoencoder
from training.autoencoder import to_tensor
from training.loop import Team
from training.render import render
from training.scene import Scene, sample_scene

CHUNK = 500


@dataclass(frozen=True)
class LatentPlan:
    """How many pictures the UNet learns from, and their side."""

    pictures: int
    side: int


def scene_of(index: int) -> tuple[Scene, Random]:
    """Return training scene number `index` and the lot to render it with; always the same ones."""
    rng = Random(index)
    return sample_scene(rng), rng


def encode_pictures(team: Team, plan: LatentPlan, network: Autoencoder, folder: Path) -> None:
    """Write the latents' means of all pictures to `folder`, one half-precision file per chunk."""
    folder.mkdir(parents=True, exist_ok=True)
    network = network.to(team.device)
    starts = range(team.rank * CHUNK, plan.pictures, CHUNK * team.size)
    for start in tqdm(starts, desc="latents", disable=team.rank > 0):
        path = chunk_path(folder, start)
        if path.exists():
            continue
        parts: list[Tensor] = []
        for first in range(start, min(start + CHUNK, plan.pictures), 20):
            numbered = [scene_of(index) for index in range(first, min(first + 20, start + CHUNK, plan.pictures))]
            images = to_tensor([render(scene, plan.side, rng) for scene, rng in numbered]).to(team.device)
            with torch.no_grad(), team.autocast():
                parts.append(network.encode(images)[0].half().cpu())
        partial = path.with_suffix(".part")
        torch.save(torch.cat(parts), partial)
        os.replace(partial, path)


def chunk_path(folder: Path, start: int) -> Path:
    """Name the file that holds the pictures from number `start` on."""
    return folder / f"{start:07d}.pt"


def load_latents(plan: LatentPlan, folder: Path) -> Tensor:
    """Read all latents, (pictures, c, h, w) in half precision."""
    starts = range(0, plan.pictures, CHUNK)
    return torch.cat([torch.load(chunk_path(folder, start), weights_only=True) for start in starts])
