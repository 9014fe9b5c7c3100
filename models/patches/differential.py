"""Differential diffusion: the gray of a noise mask says how much each place changes. arXiv:2306.00950."""

from dataclasses import dataclass

from torch import Tensor

from models.sampling.patches import Moment


@dataclass(frozen=True)
class DifferentialDiffusion:
    """Makes the mask hard at every step: a place takes part once the way that is left is no more than its gray.

    Below a strength of 1 the mask as it was has the rest of the say.
    """

    strength: float = 1.0

    def __call__(self, mask: Tensor, moment: Moment) -> Tensor:
        active = (mask >= _way_left(moment).to(mask)).to(mask.dtype)
        return active * self.strength + mask * (1 - self.strength)


def _way_left(moment: Moment) -> Tensor:
    """How much of the run's timesteps is still ahead: 1 at its first sigma, 0 at its last."""
    levels = moment.levels
    first = levels.timestep(moment.sigmas[0]).float()
    last = levels.timestep(moment.sigmas[-1].clamp(min=levels.sigma_min)).float()
    way = first - last
    return (levels.timestep(moment.sigma.cpu()).float() - last) / way if way else way
