"""What a network is given for one call beside the noisy latent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from models.conditioning import Control
from models.unet_patches import UNetPatches


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a network is given beside the noisy latent, for the b rows of one call.

    The rows are `prompts` in turn (0 is the positive, the last the negative), each with all `pictures` of the latent.
    """

    context: Tensor
    """(b n width)."""
    y: Tensor | None = None
    """(b, adm)."""
    concat: Tensor | None = None
    """(b c' h w), in model scale."""
    control_context: Tensor | None = None
    """(b n width), where controls are told another text."""
    controls: tuple[Control, ...] = ()
    patches: UNetPatches = field(default_factory=UNetPatches)
    prompts: tuple[int, ...] = (0,)
    pictures: int = 1
    sigmas: Tensor | None = None
    """All sigmas of the run (n,), where there is one."""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What foreign code has noted for its patches."""
    around: "NetworkPatch | None" = None
    """Stands in the place of the network in this call."""


NetworkPatch = Callable[..., Tensor]
"""(network, x, timesteps, context=…, y=…, hooks=…) → the network's output, of which it may make any use."""

Evaluate = Callable[[Tensor, Tensor, Inputs], Tensor]
"""(x: b c h w, sigma: scalar, inputs) → denoised, of x's shape."""

EvaluationPatch = Callable[[Evaluate, Tensor, Tensor, Inputs], Tensor]
"""(evaluate, x, sigma, inputs) → denoised: stands in the place of an evaluation, and may make it, others, or none."""
