"""Packs beside the bundled model and two prompts, made once for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from execution.calling import call
from models.conditioning import Conditioning
from models.sampling.guidance import ClassifierFree, Guider
from models.sampling.noise import RandomNoise
from models.types import Latent
from nodes.context import Context, WorkerSettings
from nodes.paths import Paths
from tests.nodes.v1.conftest import ROOT, Bench, benches

CHECKPOINT = "weft-tiny.safetensors"
CFG, SEED = 3.0, 5
BLANK = Latent(torch.zeros(1, 4, 8, 8))
MASKED = Latent(torch.ones(1, 4, 8, 8), torch.cat([torch.zeros(1, 1, 8, 4), torch.ones(1, 1, 8, 4)], dim=3))
SIGMAS = torch.tensor([14.0, 5.0, 1.0, 0.0])


def assert_close(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Holds that two ways of computing the same gave the same, up to rounding."""
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=2e-4)


class Studio:
    """A bench with a model and two prompts on it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.model, self.clip, self.vae = self.run("CheckpointLoaderSimple", ckpt_name=CHECKPOINT)
        self.positive: Conditioning = self.run("CLIPTextEncode", clip=self.clip, text="a red circle")
        self.negative: Conditioning = self.run("CLIPTextEncode", clip=self.clip, text="blue")

    def run(self, id: str, **inputs: Any) -> Any:
        """What a node gives for these inputs."""
        context = Context("1", self.bench.paths, WorkerSettings(), self.bench.services)
        return call(self.bench.registry[id], inputs, context)

    def sampled(
        self,
        sampler: Any,
        latent: Latent = BLANK,
        guider: Guider | None = None,
        sigmas: torch.Tensor = SIGMAS,
        model: Any = None,
        cfg: float = CFG,
    ) -> torch.Tensor:
        """What our own node makes with a sampler, of a model with two prompts or a guider."""
        guider = guider or Guider(model or self.model, ClassifierFree(self.positive, self.negative, cfg))
        found = self.run(
            "SamplerCustomAdvanced", noise=RandomNoise(SEED), guider=guider, sampler=sampler, sigmas=sigmas,
            latent_image=latent,
        )  # fmt: skip
        return found[0].samples


def studios(folder: Path, *packs: str) -> Iterator[Studio]:
    """Yields a studio with these packs, and takes them away afterwards."""
    for make in benches(Paths.below(folder / "base", ROOT / "bundled")):
        yield Studio(make(*packs))
