"""Encodes the rendered pictures once, in chunks that a stopped run need not make again."""

import os
from dataclasses import dataclass
from functools import partial
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
from training.supply import supply

CHUNK = 500
PIECE = 20


@dataclass(frozen=True)
class LatentPlan:
    """How many pictures the UNet learns from, in whole chunks, and their side."""

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
    missing = [start for start in starts if not chunk_path(folder, start).exists()]
    pieces = supply(partial(_render_piece, plan, missing), 0, team.workers)
    for start in tqdm(missing, desc="latents", disable=team.rank > 0):
        parts: list[Tensor] = []
        for _ in range(CHUNK // PIECE):
            images = next(pieces).to(team.device)
            with torch.no_grad(), team.autocast():
                parts.append(network.encode(images)[0].half().cpu())
        path = chunk_path(folder, start)
        unfinished = path.with_suffix(".part")
        torch.save(torch.cat(parts), unfinished)
        os.replace(unfinished, path)


def _render_piece(plan: LatentPlan, missing: list[int], index: int) -> Tensor:
    """Render the index-th piece of the missing chunks; beyond the last it is the last one's."""
    chunk, piece = divmod(index, CHUNK // PIECE)
    start = missing[min(chunk, len(missing) - 1)] + piece * PIECE
    numbered = [scene_of(number) for number in range(start, start + PIECE)]
    return to_tensor([render(scene, plan.side, rng) for scene, rng in numbered])


def chunk_path(folder: Path, start: int) -> Path:
    """Name the file that holds the pictures from number `start` on."""
    return folder / f"{start:07d}.pt"


def load_latents(plan: LatentPlan, folder: Path) -> Tensor:
    """Read all latents, (pictures, c, h, w) in half precision."""
    starts = range(0, plan.pictures, CHUNK)
    return torch.cat([torch.load(chunk_path(folder, start), weights_only=True) for start in starts])
