"""Nodes that say what guides a model."""

from typing import Annotated, Literal

from models.patches.perp_neg import PerpNegGuidance
from models.sampling.guidance import ClassifierFree, DualClassifierFree, Guider, Unguided
from nodes.sampling import Cfg
from nodes.sockets import CONDITIONING, GUIDER, MODEL
from nodes.spec import Help, Number, node


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
    style: Annotated[Literal["regular", "nested"], Help(late=True)] = "regular",
) -> GUIDER:
    """Guides from the negative toward a second prompt and from there toward the first, each with its own scale."""
    nested = style == "nested"
    return Guider(model, DualClassifierFree(cond1, cond2, negative, cfg_conds, cfg_cond2_negative, nested))


@node("PerpNegGuider", name="Perp-Neg Guider", category="experimental", experimental=True)
def perp_neg_guider(
    *,
    model: MODEL,
    positive: CONDITIONING,
    negative: CONDITIONING,
    empty_conditioning: CONDITIONING,
    cfg: Cfg = 8.0,
    neg_scale: Annotated[float, Number(0.0, 100.0, step=0.01), Help("Strength of the negative", advanced=True)] = 1.0,
) -> GUIDER:
    """Guides from an empty prompt toward one and away from what only the other says."""
    return Guider(model, PerpNegGuidance(positive, negative, empty_conditioning, cfg, neg_scale))
