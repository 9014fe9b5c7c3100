"""Classes and functions beside the nodes of `comfy_extras` that packs build guiders and noise of."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from models.patches.perp_neg import PerpNegGuidance, perpendicular
from models.sampling.align_your_steps import between_logarithms
from models.sampling.guidance import DualClassifierFree, Guidance, Unguided
from models.sampling.noise import NoNoise, RandomNoise
from nodes.shims.extra_functions import composite
from nodes.v1.apply_model import single_sigma
from nodes.v1.asking import ask_with
from nodes.v1.conds import conds_to_ours
from nodes.v1.guiders import CFGGuider, has_own
from nodes.v1.noise import ForeignNoise


def random_noise(seed: int) -> ForeignNoise:
    """Noise that the seed decides."""
    return ForeignNoise(RandomNoise(seed))


def empty_noise() -> ForeignNoise:
    """No noise."""
    return ForeignNoise(NoNoise())


def perp_neg(
    x: Tensor,
    noise_pred_pos: Tensor,
    noise_pred_neg: Tensor,
    noise_pred_nocond: Tensor,
    neg_scale: float,
    cond_scale: float,
) -> Tensor:
    """Perp-Neg's combination of three estimates of the clean latent."""
    del x
    positive, negative = noise_pred_pos - noise_pred_nocond, noise_pred_neg - noise_pred_nocond
    return noise_pred_nocond + perpendicular(positive, negative, neg_scale) * cond_scale


class _OfOurs(CFGGuider):
    """A guider whose formula is one of ours."""

    def formula(self) -> Guidance:
        """What guides, of the conditionings and scales that are set now."""
        raise NotImplementedError

    def predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: Mapping[str, Any] | None = None, seed: int | None = None
    ) -> Tensor:
        """The guided estimate of the clean latent (b c h w) at the sigmas (b,)."""
        return self.formula().denoised(ask_with(self.inner_model, model_options), x, single_sigma(timestep))

    def _cond(self, name: str) -> Any:
        return conds_to_ours(self.conds[name])


class Guider_Basic(CFGGuider):
    """Goes by one conditioning alone."""

    def set_conds(self, positive: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Sets what guides."""
        self.inner_set_conds({"positive": positive})

    def as_guidance(self) -> Guidance:
        """What guides, as a guidance of ours."""
        if has_own(self, "predict_noise", "__call__"):
            return super().as_guidance()
        return Unguided(conds_to_ours(self.original_conds["positive"]))


class Guider_DualCFG(_OfOurs):
    """Guides from the negative toward a middle conditioning, and from there toward the positive."""

    nested = False

    def set_cfg(self, cfg1: float, cfg2: float, nested: bool = False) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Sets how strongly, for each of the two."""
        self.cfg1, self.cfg2, self.nested = cfg1, cfg2, nested

    def set_conds(self, positive: Any, middle: Any, negative: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Sets what guides toward, by way of what, and away."""
        self.inner_set_conds({"positive": positive, "middle": middle, "negative": negative})

    def formula(self) -> Guidance:
        """What guides, of the conditionings and scales that are set now."""
        first, second, negative = (self._cond(name) for name in ("positive", "middle", "negative"))
        return DualClassifierFree(first, second, negative, self.cfg1, self.cfg2, self.nested)


class Guider_PerpNeg(_OfOurs):
    """Guides from an empty conditioning toward one and away from what only the other says."""

    def set_conds(self, positive: Any, negative: Any, empty_negative_prompt: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Sets what guides toward, away, and from where."""
        self.inner_set_conds(
            {"positive": positive, "negative": negative, "empty_negative_prompt": empty_negative_prompt}
        )

    def set_cfg(self, cfg: float, neg_scale: float) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Sets how strongly, and how strongly away."""
        self.cfg, self.neg_scale = cfg, neg_scale

    def formula(self) -> Guidance:
        """What guides, of the conditionings and scales that are set now."""
        toward, away, empty = (self._cond(name) for name in ("positive", "negative", "empty_negative_prompt"))
        return PerpNegGuidance(toward, away, empty, self.cfg, self.neg_scale)


HELPERS: Mapping[str, Mapping[str, Any]] = {
    "comfy_extras.nodes_align_your_steps": {"loglinear_interp": between_logarithms},
    "comfy_extras.nodes_custom_sampler": {
        "Guider_Basic": Guider_Basic,
        "Guider_DualCFG": Guider_DualCFG,
        "Noise_EmptyNoise": empty_noise,
        "Noise_RandomNoise": random_noise,
    },
    "comfy_extras.nodes_mask": {"composite": composite},
    "comfy_extras.nodes_perpneg": {"Guider_PerpNeg": Guider_PerpNeg, "perp_neg": perp_neg},
}
"""By the modules in which packs look for them."""
