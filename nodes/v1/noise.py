"""Noise in foreign hands, and noise that foreign nodes make."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from models.sampling.noise import Noise
from models.types import Latent
from nodes.v1.facade import Facade
from nodes.v1.latents import latent_to_foreign, latent_to_ours


class ForeignNoise(Facade):
    """Where the first noise of a picture comes from, by the names that packs use."""

    what = "NOISE"
    ours: Noise

    @property
    def seed(self) -> int:
        """The seed of what follows."""
        return self.ours.seed

    def generate_noise(self, input_latent: Mapping[str, Any]) -> Tensor:
        """Noise of a latent's shape (b c h w)."""
        return self.ours.of(latent_to_ours(input_latent))


@dataclass(frozen=True)
class NoiseOfPack:
    """Noise that a pack makes, for our samplers."""

    theirs: Any

    @property
    def seed(self) -> int:
        return int(getattr(self.theirs, "seed", 0))

    def of(self, latent: Latent) -> Tensor:
        return self.theirs.generate_noise(latent_to_foreign(latent)).float().cpu()
