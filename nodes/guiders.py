"""Nodes that say what guides a model."""

from typing import Literal

from models.sampling.guidance import ClassifierFree, DualClassifierFree, Guider, Unguided
from nodes.sampling import Cfg
from nodes.sockets import CONDITIONING, GUIDER, MODEL
from nodes.spec import node


@node("BasicGuider", name="Basic Guider", category="model/sampling/guiders")
def basic_guider(model: MODEL, conditioning: CONDITIONING) -> GUIDER:
    """Goes by one prompt alone, for models that need no guidance."""
    return Guider(model, Unguided(conditioning))


@node("CFGGuider", name="CFG Guider", category="model/sampling/guiders")
def cfg_guider(*, model: MODEL, positive: CONDITIONING, negative: CONDITIONING, cfg: Cfg = 8.0) -> GUIDER:
    """Guides toward one prompt and away from the other."""
    return Guider(model, ClassifierFree(positive, negative, cfg))


@node("DualCFGGuider", name="Dual CFG Guider", category="model/sampling/guiders")
def dual_cfg_guider(
    *,
    model: MODEL,
    cond1: CONDITIONING,
    cond2: CONDITIONING,
    negative: CONDITIONING,
    cfg_conds: Cfg = 8.0,
    cfg_cond2_negative: Cfg = 8.0,
    style: Literal["regular", "nested"],
) -> GUIDER:
    """Guides from the negative toward a second prompt and from there toward the first, each with its own scale."""
    nested = style == "nested"
    return Guider(model, DualClassifierFree(cond1, cond2, negative, cfg_conds, cfg_cond2_negative, nested))
