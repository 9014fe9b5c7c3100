"""Nodes that change how a model is guided. The model that comes in stays as it was."""

from typing import Annotated

from models.patches.cfg_norm import EstimateNorm, NoiseNorm
from models.patches.cfg_zero_star import cfg_zero_star
from models.patches.frequency_guidance import FrequencyGuidance
from models.patches.noise_scaling import EpsilonScaling, TemporalScoreRescaling
from models.patches.perp_neg import PerpNegFormula
from models.patches.positive_bias import positive_bias
from models.patches.renorm_cfg import RenormCFG
from models.patches.rescale_cfg import RescaleCFG
from models.patches.tangential_damping import tangential_damping
from models.sampling.patches import GuidancePatches
from nodes.model_patches import patched
from nodes.sockets import CONDITIONING, MODEL
from nodes.spec import Help, Number, Shown, node

PATCHED = ("patched_model",)


@node("RescaleCFG", category="model/patch")
def rescale_cfg(
    model: MODEL,
    multiplier: Annotated[
        float, Number(0.0, 1.0, step=0.01), Help("How much of the guided picture is given the positive's contrast")
    ] = 0.7,
) -> MODEL:
    """Keeps strong guidance from overexposing, which models of velocity need."""
    return patched(model, GuidancePatches(formula=RescaleCFG(multiplier, model.sampling.is_flow)))


@node("RenormCFG", category="model/patch")
def renorm_cfg(
    model: MODEL,
    cfg_trunc: Annotated[
        float, Number(0.0, 100.0, step=0.01), Help("The sigma below which there is guidance", advanced=True)
    ] = 100.0,
    renorm_cfg: Annotated[
        float,
        Number(0.0, 100.0, step=0.01),
        Help("How long the guided estimate may become, in lengths of the positive's; 0 is any", advanced=True),
    ] = 1.0,
) -> MODEL:
    """Leaves guidance off at high noise and limits its length."""
    return patched(model, GuidancePatches(formula=RenormCFG(cfg_trunc, renorm_cfg)))


@node("CFGNorm", category="advanced/guidance", experimental=True, outputs=PATCHED)
def cfg_norm(
    model: MODEL,
    strength: Annotated[float, Number(0.0, 100.0, step=0.01)] = 1.0,
    pre_cfg: Annotated[bool, Help("Keep the length of the noise, up and down, not that of the estimate")]
    | None = False,
) -> MODEL:
    """Keeps strong guidance from growing beyond what the positive prompt alone would give."""
    if pre_cfg:
        return patched(model, GuidancePatches(formula=NoiseNorm(strength)))
    return patched(model, GuidancePatches(after=(EstimateNorm(strength),)))


@node("CFGZeroStar", category="advanced/guidance", outputs=PATCHED)
def cfg_zero_star_node(model: MODEL) -> MODEL:
    """Guides away from a negative that is first scaled to be nearest to the positive."""
    return patched(model, GuidancePatches(after=(cfg_zero_star,)))


@node("TCFG", name="Tangential Damping CFG", category="advanced/guidance", outputs=PATCHED)
def tangential_damping_node(model: MODEL) -> MODEL:
    """Guides away only from what the negative shares with the positive in direction."""
    return patched(model, GuidancePatches(before=(tangential_damping,)))


@node(
    "PerpNeg",
    name="Perp-Neg (DEPRECATED by Perp-Neg Guider)",
    category="experimental",
    deprecated=True,
    experimental=True,
)
def perp_neg(
    model: MODEL,
    empty_conditioning: CONDITIONING,
    neg_scale: Annotated[float, Number(0.0, 100.0, step=0.01), Help("Strength of the negative", advanced=True)] = 1.0,
) -> MODEL:
    """Guides away from what only the negative says. Use the Perp-Neg Guider in new workflows."""
    return patched(model, GuidancePatches(formula=PerpNegFormula(empty_conditioning, neg_scale)))


@node("Mahiro", name="Positive-Biased Guidance", category="experimental", experimental=True, outputs=PATCHED)
def mahiro(model: MODEL) -> MODEL:
    """Leans to the positive prompt the more the two prompts differ."""
    return patched(model, GuidancePatches(after=(positive_bias,)))


@node("Epsilon Scaling", category="model/patch/unet")
def epsilon_scaling(
    model: MODEL,
    scaling_factor: Annotated[
        float, Number(0.5, 1.5, step=0.001), Help("Above 1 keeps more detail", advanced=True)
    ] = 1.005,
) -> MODEL:
    """Predicts a little less noise, against the error that a sampler gathers on its way."""
    return patched(model, GuidancePatches(after=(EpsilonScaling(scaling_factor),)))


@node("TemporalScoreRescaling", name="TSR - Temporal Score Rescaling", category="model/patch/unet", outputs=PATCHED)
def temporal_score_rescaling(
    model: MODEL,
    tsr_k: Annotated[
        float, Number(0.01, 100.0, step=0.001), Help("Below 1 gives more detail, above 1 less", advanced=True)
    ] = 0.95,
    tsr_sigma: Annotated[
        float, Number(0.01, 100.0, step=0.001), Help("Spread of the latents; earlier where larger", advanced=True)
    ] = 1.0,
) -> MODEL:
    """Samples as if more or less were possible than the model has learned."""
    method = TemporalScoreRescaling(tsr_k, tsr_sigma, model.sampling.is_flow)
    return patched(model, GuidancePatches(after=(method,)))


@node("FreSca", category="experimental", experimental=True)
def fresca(
    model: MODEL,
    scale_low: Annotated[float, Number(0, 10, step=0.01), Help("Of coarse structure", advanced=True)] = 1.0,
    scale_high: Annotated[float, Number(0, 10, step=0.01), Help("Of fine structure", advanced=True)] = 1.25,
    freq_cutoff: Annotated[int, Number(1, 10000, step=1), Help("Where fine begins", advanced=True)] = 20,
) -> MODEL:
    """Guides coarse and fine structure with different strength."""
    return patched(model, GuidancePatches(before=(FrequencyGuidance(scale_low, scale_high, freq_cutoff),)))


@node("SkipLayerGuidanceSD3", category="advanced/guidance", experimental=True)
def skip_layer_guidance(
    model: MODEL,
    layers: Annotated[str, Help("Which of the transformer's layers are skipped", advanced=True)] = "7, 8, 9",
    scale: Annotated[float, Number(0.0, 10.0, step=0.1)] = 3.0,
    start_percent: Annotated[float, Number(0.0, 1.0, step=0.001), Help(advanced=True)] = 0.01,
    end_percent: Annotated[float, Number(0.0, 1.0, step=0.001), Help(advanced=True)] = 0.15,
) -> MODEL:
    """Guides Stable Diffusion 3 away from what it would say without some of its layers.

    A UNet has none of these layers, so nothing is skipped and the model stays as it is; the node says so.
    """
    said = f"This model is a UNet without the layers {layers} of Stable Diffusion 3: nothing is skipped."
    return Shown(model, {"text": [said]})  # pyright: ignore[reportReturnType]
