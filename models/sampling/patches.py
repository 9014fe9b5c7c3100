"""What may be changed about how a model is asked and guided, gathered in a value that its handle carries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from models.conditioning import Conditioning
from models.sampling.inputs import EvaluationPatch
from models.sampling.levels import NoiseLevels
from models.unet_patches import UNetPatches


class Ask(Protocol):
    """A model to be asked for estimates of the clean latent under several conditionings at once."""

    @property
    def patches(self) -> "ModelPatches": ...

    def __call__(
        self, x: Tensor, sigma: Tensor, conditionings: Sequence[Conditioning], unet: UNetPatches | None = None
    ) -> list[Tensor]:
        """One estimate (b c h w) for each conditioning; of several the last is the negative.

        `unet` are patches for this question only, beside those of the model.
        """
        ...


@dataclass(frozen=True, eq=False)
class Round:
    """One step of guidance as patches see it: the noisy latent x (b c h w) at sigma, and how the model may be asked.

    `negative` is None where nothing is guided away from.
    """

    ask: Ask
    x: Tensor
    sigma: Tensor
    positive: Conditioning
    negative: Conditioning | None
    cfg: float


@dataclass(frozen=True, eq=False)
class Estimated:
    """The estimates of the clean latent that guidance combines; `away` is the negative's, if it was evaluated."""

    toward: Tensor
    away: Tensor | None


EstimatesPatch = Callable[[Estimated, Round], Estimated]
"""Changes the estimates before they are combined."""

FormulaPatch = Callable[[Tensor, Tensor, Round], Tensor]
"""(toward, away, round) → the guided estimate, in place of away + cfg · (toward − away)."""

ResultPatch = Callable[[Tensor, Estimated, Round], Tensor]
"""(guided, estimates, round) → the guided estimate, changed."""


@dataclass(frozen=True)
class GuidancePatches:
    """Changes to guidance, each field in order; the last formula counts. Some need the negative even at a cfg of 1."""

    before: tuple[EstimatesPatch, ...] = ()
    formula: FormulaPatch | None = None
    after: tuple[ResultPatch, ...] = ()
    need_negative: bool = False

    def plus(self, other: "GuidancePatches") -> "GuidancePatches":
        """These and then the others."""
        return GuidancePatches(
            self.before + other.before,
            other.formula or self.formula,
            self.after + other.after,
            self.need_negative or other.need_negative,
        )


@dataclass(frozen=True, eq=False)
class Moment:
    """Where a run of sampling is: at sigma, on its way down the sigmas."""

    sigma: Tensor
    sigmas: Tensor
    levels: NoiseLevels


MaskPatch = Callable[[Tensor, Moment], Tensor]
"""(noise mask (b 1 h w), moment) → the mask that counts then."""


RunPatch = Callable[[Any], Any]
"""(guider) → one that samples itself, in its place in runs under this model."""


@dataclass(frozen=True)
class ModelPatches:
    """All changes that a model's handle carries; of those there is one of, the last counts."""

    guidance: GuidancePatches = field(default_factory=GuidancePatches)
    unet: UNetPatches = field(default_factory=UNetPatches)
    mask: MaskPatch | None = None
    evaluation: EvaluationPatch | None = None
    run: RunPatch | None = None

    def plus(self, other: "ModelPatches") -> "ModelPatches":
        """These and then the others."""
        return ModelPatches(
            self.guidance.plus(other.guidance),
            self.unet.plus(other.unet),
            other.mask or self.mask,
            other.evaluation or self.evaluation,
            other.run or self.run,
        )
