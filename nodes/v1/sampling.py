"""Noise and guiders in foreign hands, and noise that foreign nodes make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from models.sampling.guidance import Guider
from models.sampling.noise import Noise
from models.sampling.run import Step, sample
from models.sampling.samplers.table import Sampler
from models.types import Latent
from nodes.v1.facade import Facade
from nodes.v1.latents import latent_to_foreign, latent_to_ours
from nodes.v1.model import ForeignModel


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


class ForeignGuider(Facade):
    """What guides a model, which packs ask to sample."""

    what = "GUIDER"
    ours: Guider

    @property
    def model_patcher(self) -> ForeignModel:
        """The model that is guided."""
        return ForeignModel(self.ours.model)

    def sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Sampler,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callable[[int, Tensor, Tensor, int], Any] | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """The raw latent at the end of these sigmas."""
        guider = self.ours

        def tell(step: Step) -> None:
            if callback is not None:
                callback(step.index, step.denoised, step.x, step.total)

        return sample(
            guider.model, noise, latent_image, guider.guidance, sampler, sigmas, seed or 0, denoise_mask, each=tell
        )
