"""Scores a checkpoint: how much of what prompts state its pictures show, and how well its VAE reconstructs.

python -m training.evaluate --run training/runs/NAME
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from tqdm import tqdm

from training.autoencoder import held_out_pictures, psnr, to_tensor
from training.captions import Caption, caption
from training.judge import judge_pictures, load_judge, score
from training.painter import Painter
from training.presets import Preset, presets
from training.render import render
from training.scene import sample_scene

HELD_OUT_SEED = 3_000_000_000
CHECKPOINT = Path(__file__).resolve().parent.parent / "bundled" / "models" / "checkpoints" / "weft-tiny.safetensors"
TEST_PROMPT = "a large red circle on a blue background"
ASPECTS = (
    "object present",
    "color",
    "count",
    "size",
    "place",
    "background",
    "sky",
    "ground",
    "extra: sun, moon, clouds, mountains",
    "style",
    "ALL STATED ATTRIBUTES",
    "WHOLE PROMPTS",
)


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the run's folder: its judge is used")
    parser.add_argument("--preset", choices=sorted(presets()), default="cpu", help="the run's preset")
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--cfg", type=float, default=5.0)
    arguments = parser.parse_args()
    preset = presets()[arguments.preset]
    painter = Painter(arguments.checkpoint, preset.side, cfg=arguments.cfg)
    print(report(painter, preset, arguments.run, arguments.prompts))


def report(painter: Painter, preset: Preset, run: Path, count: int) -> str:
    """Return the score table, the autoencoder's PSNR and the test of pixel colors, as Markdown."""
    captions, renders = held_out_prompts(count, preset.side)
    reconstructed = _signed(painter.reconstruct(_unsigned(renders)))
    painted = _signed(torch.stack([painter.paint(c.text, i) for i, c in enumerate(tqdm(captions, desc="prompts"))]))
    table = score_table(captions, {"generated": painted, "real render": renders, "VAE": reconstructed}, preset, run)
    pictures = held_out_pictures(256, preset.side)
    decibels = sorted(_psnr_of_each(pictures, _signed(painter.reconstruct(_unsigned(pictures)))))
    right = sum(is_red_circle_on_blue(painter.paint(TEST_PROMPT, seed)) for seed in range(10))
    return (
        f"{table}\n\nVAE PSNR on 256 held-out pictures: mean {sum(decibels) / len(decibels):.1f} dB, "
        f"median {decibels[128]:.1f} dB\n\n“{TEST_PROMPT}”: right for {right} of 10 seeds, by pixel colors"
    )


def held_out_prompts(count: int, side: int) -> tuple[list[Caption], Tensor]:
    """Make up captions of scenes that no stage trains on, and render those scenes, in -1..1."""
    captions: list[Caption] = []
    renders = []
    for i in range(count):
        rng = Random(HELD_OUT_SEED + i)
        scene = sample_scene(rng)
        captions.append(caption(scene, rng))
        renders.append(render(scene, side, rng))
    return captions, to_tensor(renders)


def score_table(captions: Sequence[Caption], columns: dict[str, Tensor], preset: Preset, run: Path) -> str:
    """Judge every column of pictures; the last column judges the generated ones by each other's prompts."""
    judge = load_judge(preset.judge, run / "judge.pt")
    stated = [c.stated for c in captions]
    tallies = {name: score(stated, judge_pictures(judge, pictures)) for name, pictures in columns.items()}
    verdicts = judge_pictures(judge, columns["generated"])
    tallies["shuffled"] = score([*stated[1:], stated[0]], verdicts)
    lines = [
        f"| stated in the prompt | {' | '.join(tallies)} | generated / real | n |",
        "|" + " --- |" * (len(tallies) + 3),
    ]
    for name in ASPECTS:
        total = tallies["generated"].get(name, (0, 0))[1]
        if total == 0:
            continue
        shares = {
            column: tally[name][0] / tally[name][1] if name in tally else 0.0 for column, tally in tallies.items()
        }
        ratio = shares["generated"] / max(shares["real render"], 1e-9)
        cells = " | ".join(f"{share:.0%}" for share in shares.values())
        lines.append(f"| {name} | {cells} | {ratio:.0%} | {total} |")
    return "\n".join(lines)


def is_red_circle_on_blue(picture: Tensor) -> bool:
    """Tell from pixel colors alone whether (h, w, 3) in 0..1 is one large red disc on blue.

    At least 95 % of the pixels are clearly red or blue; the red ones fill 15 to 75 % of the picture and nine tenths of
    a disc of their area about their center.
    """
    red, green, blue = picture.unbind(-1)
    is_red = (red > 0.55) & (green < 0.4) & (blue < 0.4)
    is_blue = (blue > 0.5) & (red < 0.4) & (green < 0.55)
    share = float(is_red.float().mean())
    if float((is_red | is_blue).float().mean()) < 0.95 or not 0.15 <= share <= 0.75:
        return False
    rows, columns = torch.nonzero(is_red, as_tuple=True)
    height, width = is_red.shape
    ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    distance = (ys - rows.float().mean()).square() + (xs - columns.float().mean()).square()
    disc = distance <= share * height * width / torch.pi
    return float(is_red[disc].float().mean()) > 0.9


def _psnr_of_each(pictures: Tensor, others: Tensor) -> list[float]:
    rounded = others.add(1).mul(127.5).round().div(127.5).sub(1)
    return [psnr(float(error)) for error in (rounded - pictures).square().mean(dim=(1, 2, 3))]


def _unsigned(images: Tensor) -> Tensor:
    """(b, 3, h, w) in -1..1 → (b, h, w, 3) in 0..1."""
    return ((images + 1) / 2).movedim(1, -1)


def _signed(pictures: Tensor) -> Tensor:
    """(b, h, w, 3) in 0..1 → (b, 3, h, w) in -1..1."""
    return (pictures * 2 - 1).movedim(-1, 1)


if __name__ == "__main__":
    main()
