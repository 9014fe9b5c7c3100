"""Trains a small classifier on renders; it tells which attributes a picture shows and so scores generated pictures."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.autoencoder import to_tensor
from training.loop import Recipe, Team, Trainer, averaged_weights
from training.render import render
from training.scene import KINDS, Scene, attributes, sample_scene, slots
from training.supply import supply

SIDE = 64


@dataclass(frozen=True)
class JudgePlan:
    """What is trained and how; pictures of `side` are averaged down to what the judge looks at."""

    recipe: Recipe
    side: int
    width: int = 32


class Judge(nn.Module):
    """A residual convolutional classifier: pictures (b, 3, n·64, n·64) in -1..1 → one tensor of scores per slot."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (width, width * 2, width * 3, width * 4)
        self.stem = nn.Conv2d(3, width, 5, stride=2, padding=2)
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1) for before, after in pairwise(widths)
        )
        self.blocks = nn.ModuleList(_residual(channels) for channels in widths)
        self.sizes = [len(values) for values in slots().values()]
        side = SIDE // 2 ** len(widths)
        self.heads = nn.Sequential(nn.Linear(widths[-1] * side * side, 384), nn.GELU(), nn.Linear(384, sum(self.sizes)))

    def forward(self, images: Tensor) -> list[Tensor]:
        h = self.stem(F.adaptive_avg_pool2d(images, SIDE))
        for i, block in enumerate(self.blocks):
            h = h + block(h)
            if i < len(self.down):
                h = self.down[i](h)
        return list(self.heads(h.flatten(1)).split(self.sizes, dim=1))


def _residual(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.GroupNorm(8, channels),
        nn.GELU(),
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.GroupNorm(8, channels),
        nn.GELU(),
        nn.Conv2d(channels, channels, 3, padding=1),
    )


def shown_classes(scenes: Sequence[Scene]) -> Tensor:
    """Number what each scene shows, (b, slots)."""
    table = slots()
    filled = [attributes(scene) for scene in scenes]
    return torch.tensor([[table[slot].index(values.get(slot, "none")) for slot in table] for values in filled])


def train_judge(team: Team, plan: JudgePlan, path: Path) -> None:
    """Train (or go on training) and save at `path`."""
    torch.manual_seed(2)
    network = Judge(plan.width).to(team.device)
    trainer = Trainer(network, plan.recipe, team, path, "judge")
    torch.manual_seed(trainer.step * team.size + team.rank)
    batches = supply(partial(picture_batch, plan, team), trainer.step, team.workers)
    saved = time.monotonic()
    while not trainer.done:
        pictures, classes = next(batches)
        with team.autocast():
            scores = network(soften(pictures.to(team.device)))
        loss = shown_loss(scores, classes.to(team.device))
        trainer.update(loss)
        if trainer.step % 50 == 0:
            trainer.report(loss=float(loss.detach()))
        if time.monotonic() - saved > 60:
            trainer.save()
            saved = time.monotonic()
    trainer.save()


def picture_batch(plan: JudgePlan, team: Team, index: int) -> tuple[Tensor, Tensor]:
    """Render pictures (b, 3, h, w) in -1..1 and tell the classes they show (b, slots)."""
    rng = Random(f"judge {team.rank} {index}")
    scenes = [sample_scene(rng) for _ in range(team.share(plan.recipe.batch))]
    return to_tensor([render(scene, plan.side, rng) for scene in scenes]), shown_classes(scenes)


def soften(pictures: Tensor) -> Tensor:
    """Blur and add noise by a random amount for each picture, so that slight softness does not fool the judge."""
    amount = torch.rand(len(pictures), 1, 1, 1, device=pictures.device)
    blurred = F.avg_pool2d(pictures, 5, stride=1, padding=2, count_include_pad=False)
    return torch.lerp(pictures, blurred, amount) + torch.randn_like(pictures) * 0.15 * amount.flip(0)


def shown_loss(scores: list[Tensor], classes: Tensor) -> Tensor:
    """Sum the cross-entropy over the slots; color, size and place of a kind count only where the kind is shown."""
    total = torch.zeros((), device=classes.device)
    for i, slot in enumerate(slots()):
        part = F.cross_entropy(scores[i].float(), classes[:, i], reduction="none")
        if slot.endswith((".color", ".size", ".place")):
            part = part * (classes[:, i] > 0)
        total = total + part.mean()
    return total


@torch.no_grad()
def judge_pictures(network: Judge, images: Tensor) -> list[dict[str, str]]:
    """Tell the value of every slot for each picture; details of a kind that is not seen are "none"."""
    table = slots()
    verdicts: list[dict[str, str]] = []
    for part in images.split(32):
        scores = network(part)
        for row in range(len(part)):
            verdict = {slot: values[int(scores[i][row].argmax())] for i, (slot, values) in enumerate(table.items())}
            for kind in KINDS:
                if verdict[f"{kind}.count"] == "none":
                    verdict.update({f"{kind}.color": "none", f"{kind}.size": "none", f"{kind}.place": "none"})
            verdicts.append(verdict)
    return verdicts


def aspect(slot: str) -> str:
    """Name the row of the score table that a slot belongs to."""
    if "." in slot:
        return slot.split(".")[1]
    return "extra: sun, moon, clouds, mountains" if slot in ("sun", "moon", "clouds", "mountains") else slot


def score(stated: Sequence[Mapping[str, str]], verdicts: Sequence[Mapping[str, str]]) -> dict[str, tuple[int, int]]:
    """Count (satisfied, stated) for each aspect, for all attributes together, and for whole prompts."""
    tally: dict[str, tuple[int, int]] = {}

    def add(name: str, satisfied: bool) -> None:
        hits, total = tally.get(name, (0, 0))
        tally[name] = (hits + satisfied, total + 1)

    for wanted, verdict in zip(stated, verdicts, strict=True):
        for slot, value in wanted.items():
            satisfied = verdict[slot] == value
            add(aspect(slot), satisfied)
            add("ALL STATED ATTRIBUTES", satisfied)
            if slot.endswith(".count"):
                add("object present", verdict[slot] != "none")
        add("WHOLE PROMPTS", all(verdict[slot] == value for slot, value in wanted.items()))
    return tally


def load_judge(plan: JudgePlan, path: Path) -> Judge:
    """Build the trained judge from its save file."""
    network = Judge(plan.width)
    network.load_state_dict(averaged_weights(path))
    return network.eval().requires_grad_(False)
