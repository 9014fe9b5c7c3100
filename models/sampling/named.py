"""Samplers and schedules by name: ours, and those that have been added from outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from models.sampling.denoiser import GuidedDenoiser
from models.sampling.samplers.common import State
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import SCHEDULES, Schedule
from models.types import Model


class Walker(Protocol):
    """What takes a latent down the sigmas: a sampler."""

    @property
    def drops_penultimate_sigma(self) -> bool:
        """Whether the plain sampler nodes leave the last but one sigma of its schedules out."""
        ...

    @property
    def renews_masked_noise(self) -> bool:
        """Whether the part kept by a noise mask is covered by other noise than the part that is sampled."""
        ...

    def run(
        self,
        denoise: GuidedDenoiser,
        x: Tensor,
        sigmas: Tensor,
        seed: int,
        model: Model,
        each: Callable[[State], None],
    ) -> Tensor:
        """Walks x (b c h w) down the sigmas (n,), telling every step; returns where it ends."""
        ...


@dataclass(frozen=True, eq=False)
class SamplingNames:
    """All samplers and schedules by the names that nodes show, in their order."""

    samplers: Mapping[str, Walker]
    schedules: Mapping[str, Schedule]


def built_in() -> SamplingNames:
    """Ours alone."""
    return SamplingNames(SAMPLERS, SCHEDULES)
