"""Paints the 24 prompts that show the checkpoint's range, as one picture.

python -m training.grid
"""

import argparse
from pathlib import Path

import torch
from PIL import Image

from training.evaluate import CHECKPOINT
from training.painter import Painter

COLUMNS = 6
GAP = 6
PROMPTS = (
    "a large red circle on a blue background",
    "two yellow stars on a purple background",
    "three red hearts on a white background",
    "a small green square to the left of a large orange triangle on a black background",
    "a pink heart and a blue star on a yellow background",
    "a large white star at night",
    "an orange cat on the grass under a blue sky",
    "a black cat in the snow with mountains",
    "a big blue fish on an orange background",
    "two orange fish in the sea",
    "a green tree on a green field with the sun",
    "three green trees in the snow",
    "a red house in a meadow with clouds",
    "a white house at night with the moon",
    "a white boat on the sea at sunset",
    "a red boat on the ocean at night with the moon",
    "a yellow car in the desert",
    "two blue cars on a white background",
    "a purple flower on a green background",
    "three pink flowers on the grass",
    "a red balloon at sunset",
    "a red mushroom in a meadow next to a brown cat",
    "a line drawing of a blue house",
    "pixel art of a red heart on a black background",
)


def main() -> None:
    """Read the command line, paint and save."""
    parser = argparse.ArgumentParser(prog="python -m training.grid", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--out", type=Path, default=CHECKPOINT.parents[2] / "weft-tiny-grid.png")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    paint_grid(Painter(arguments.checkpoint, arguments.side), arguments.seed).save(arguments.out, optimize=True)


def paint_grid(painter: Painter, seed: int) -> Image.Image:
    """Paint every prompt with seeds counted from `seed`, in rows on white."""
    pictures = painter.paint_all(PROMPTS, seed)
    step = painter.side + GAP
    sheet = torch.ones(len(PROMPTS) // COLUMNS * step + GAP, COLUMNS * step + GAP, 3)
    for i, picture in enumerate(pictures):
        top, left = GAP + i // COLUMNS * step, GAP + i % COLUMNS * step
        sheet[top : top + painter.side, left : left + painter.side] = picture
    return Image.fromarray((sheet * 255).round().byte().numpy())


if __name__ == "__main__":
    main()
