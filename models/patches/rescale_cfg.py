"""Guidance that keeps the contrast of the positive's prediction; arXiv:2305.08891, section 3.4."""

from dataclasses import dataclass

from torch import Tensor

from models.sampling.patches import Round


@dataclass(frozen=True)
class RescaleCFG:
    """Scales the guided velocity to the standard deviation of the positive's, a picture at a time, in a share.

    The velocity is that of a variance preserving diffusion, or of the flow where the model is one.
    """

    share: float
    flow: bool = False

    def __call__(self, toward: Tensor, away: Tensor, of: Round) -> Tensor:
        positive, negative = self._velocity(toward, of), self._velocity(away, of)
        guided = negative + (positive - negative) * of.cfg
        contrast = _deviation(positive) / _deviation(guided)
        return self._denoised(guided * contrast * self.share + guided * (1 - self.share), of)

    def _velocity(self, denoised: Tensor, of: Round) -> Tensor:
        if self.flow:
            return (of.x - denoised) / of.sigma
        variance = of.sigma**2 + 1
        return (of.x / variance - denoised) * variance**0.5 / of.sigma

    def _denoised(self, velocity: Tensor, of: Round) -> Tensor:
        if self.flow:
            return of.x - velocity * of.sigma
        variance = of.sigma**2 + 1
        return of.x / variance - velocity * of.sigma / variance**0.5


def _deviation(x: Tensor) -> Tensor:
    """Of each picture (b 1 1 1)."""
    return x.std(dim=(1, 2, 3), keepdim=True)
