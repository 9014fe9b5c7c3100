"""Perturbed-attention guidance: away from a prediction whose self-attention attends to nothing; arXiv:2403.17377."""

from dataclasses import dataclass

from torch import Tensor

from models.sampling.patches import Estimated, Round
from models.unet_patches import Attention, AttentionPatches, Call, Place, UNetPatches


@dataclass(frozen=True)
class PerturbedAttention:
    """Adds `scale` times the distance from the perturbed estimate; `depth` transformers in the middle are perturbed."""

    scale: float
    depth: int

    def __call__(self, guided: Tensor, estimated: Estimated, of: Round) -> Tensor:
        if self.scale == 0:
            return guided
        instead = {Place("middle", 0, index): values_alone for index in range(self.depth)}
        perturbed = UNetPatches(self_attention=AttentionPatches(instead=instead))
        (estimate,) = of.ask(of.x, of.sigma, [of.positive], perturbed)
        return guided + (estimated.toward - estimate) * self.scale


def values_alone(layer: Attention, x: Tensor, key: Tensor, value: Tensor, place: Place, call: Call) -> Tensor:
    """Self-attention with the identity as attention map."""
    return layer.to_out(layer.to_v(value))
