"""CFG-Zero*: guidance away from the part of the negative that the positive shares; arXiv:2503.18886."""

from torch import Tensor

from models.sampling.patches import Estimated, Round


def cfg_zero_star(guided: Tensor, estimated: Estimated, of: Round) -> Tensor:
    """Scales the negative's velocity to what is nearest the positive's, equation 9, and guides from there.

    Estimates stand in for velocities, from which they differ by x and a factor that is the same for both.
    """
    if estimated.away is None:
        return guided
    scale = nearest_scale(of.x - estimated.toward, of.x - estimated.away)
    return guided + estimated.away * (scale - 1) * (1 - of.cfg)


def nearest_scale(target: Tensor, vector: Tensor) -> Tensor:
    """The factor (b 1 1 1) that brings the vector nearest to the target, for each picture."""
    product = (target * vector).sum(dim=(1, 2, 3), keepdim=True)
    return product / ((vector**2).sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
