"""Operations on latents, as values that are applied once or at every step of sampling."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from torch import Tensor

from models.latent_math import sharpened_directions, tone_mapped
from models.sampling.patches import Estimated, GuidancePatches, ModelPatches, Round
from nodes.sockets import LATENT, MODEL
from nodes.spec import Help, Number, Socket, node

Operation = Callable[[Tensor], Tensor]
LATENT_OPERATION = Annotated[Operation, Socket("LATENT_OPERATION")]
CATEGORY = "model/latent/advanced/operations"


@node("LatentApplyOperation", category=CATEGORY, experimental=True)
def latent_apply_operation(samples: LATENT, operation: LATENT_OPERATION) -> LATENT:
    """Changes a latent by an operation."""
    return replace(samples, samples=operation(samples.samples))


@node("LatentApplyOperationCFG", category=CATEGORY, experimental=True)
def latent_apply_operation_cfg(model: MODEL, operation: LATENT_OPERATION) -> MODEL:
    """Changes what guidance adds, at every step, by an operation; without a negative, the estimate itself."""

    def change(estimated: Estimated, _: Round) -> Estimated:
        if estimated.away is None:
            return replace(estimated, toward=operation(estimated.toward))
        return replace(estimated, toward=operation(estimated.toward - estimated.away) + estimated.away)

    patches = ModelPatches(GuidancePatches(before=(change,)))
    return replace(model, patches=model.patches.plus(patches))


@node("LatentOperationTonemapReinhard", category=CATEGORY, experimental=True)
def latent_operation_tonemap_reinhard(
    multiplier: Annotated[float, Number(0.0, 100.0, step=0.01), Help("Of what counts as brightest")] = 1.0,
) -> LATENT_OPERATION:
    """Compresses strong values, so that high guidance does not burn colors."""
    return lambda latent: tone_mapped(latent, multiplier)


@node("LatentOperationSharpen", category=CATEGORY, experimental=True)
def latent_operation_sharpen(
    sharpen_radius: Annotated[int, Number(1, 31), Help(advanced=True)] = 9,
    sigma: Annotated[float, Number(0.1, 10.0, step=0.1), Help("A share of the radius", advanced=True)] = 1.0,
    alpha: Annotated[float, Number(0.0, 5.0, step=0.01), Help("Strength", advanced=True)] = 0.1,
) -> LATENT_OPERATION:
    """Sharpens the directions of a latent's values and leaves their strength."""
    return lambda latent: sharpened_directions(latent, sharpen_radius, sigma, alpha)
