"""Nodes that say how a model's predictions are read: what its network predicts, at which levels of noise."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

from models.loading.families import PLAYGROUND_LATENT
from models.sampling.continuous_levels import (
    EdmLevels,
    ExplodingFlowLevels,
    FlowLevels,
    VelocityLevels,
    exponential_shift,
    flux_mu,
    shift,
)
from models.sampling.denoiser import EpsPrediction, VPrediction
from models.sampling.levels import discrete_levels, distilled, scaled_linear_alphas_bar, with_zero_terminal_snr
from models.sampling.model_sampling import ModelSampling
from models.sampling.predictions import (
    CleanPrediction,
    ConsistencyPrediction,
    EdmPrediction,
    ExplodingFlowPrediction,
    FlowCleanPrediction,
    FlowPrediction,
    PictureToPicture,
)
from nodes.sockets import MODEL
from nodes.spec import Help, Number, node

CATEGORY = "model/patch"
EDM_SIGMA_DATA = 0.5
FLUX_TIMES = 10000

Shift = Annotated[float, Number(0.0, 100.0, step=0.01), Help("Above 1 more steps go to high noise")]
AdvancedShift = Annotated[float, Number(0.0, 100.0, step=0.01), Help(advanced=True)]
Sigma = Annotated[float, Number(0.0, 1000.0, step=0.001), Help(advanced=True)]
Side = Annotated[int, Number(16, 16384, step=8)]


@node("ModelSamplingDiscrete", category=CATEGORY)
def model_sampling_discrete(
    *,
    model: MODEL,
    sampling: Literal["eps", "v_prediction", "lcm", "x0", "img_to_img", "img_to_img_flow"],
    zsnr: Annotated[bool, Help("The noisiest level has (almost) no signal", advanced=True)] = False,
) -> MODEL:
    """What a network with a thousand numbered levels of noise predicts."""
    alphas_bar = scaled_linear_alphas_bar()
    levels = discrete_levels(with_zero_terminal_snr(alphas_bar) if zsnr else alphas_bar)
    match sampling:
        case "eps":
            found = ModelSampling(EpsPrediction(), levels)
        case "v_prediction":
            found = ModelSampling(VPrediction(), levels)
        case "lcm":
            known = distilled(levels)
            found = ModelSampling(ConsistencyPrediction(levels=known), known)
        case "x0":
            found = ModelSampling(CleanPrediction(), levels)
        case "img_to_img":
            found = ModelSampling(PictureToPicture(), levels)
        case "img_to_img_flow":
            found = ModelSampling(FlowCleanPrediction(), levels)
    return replace(model, sampling=found)


@node("ModelSamplingContinuousEDM", category=CATEGORY)
def model_sampling_continuous_edm(
    *,
    model: MODEL,
    sampling: Literal["v_prediction", "edm", "edm_playground_v2.5", "eps", "cosmos_rflow"],
    sigma_max: Sigma = 120.0,
    sigma_min: Sigma = 0.002,
) -> MODEL:
    """What a network that knows all levels of noise of a range predicts; Karras et al., arXiv:2206.00364."""
    _check_range(sigma_min, sigma_max)
    levels = EdmLevels(sigma_min, sigma_max)
    match sampling:
        case "v_prediction":
            found = ModelSampling(VPrediction(), levels)
        case "edm" | "edm_playground_v2.5":
            found = ModelSampling(EdmPrediction(EDM_SIGMA_DATA), levels)
        case "eps":
            found = ModelSampling(EpsPrediction(), levels)
        case "cosmos_rflow":
            found = ModelSampling(ExplodingFlowPrediction(), ExplodingFlowLevels(sigma_min, sigma_max))
    if sampling == "edm_playground_v2.5":
        return replace(model, sampling=found, latent_format=PLAYGROUND_LATENT)
    return replace(model, sampling=found)


@node("ModelSamplingContinuousV", category=CATEGORY)
def model_sampling_continuous_v(
    *, model: MODEL, sampling: Literal["v_prediction"], sigma_max: Sigma = 500.0, sigma_min: Sigma = 0.03
) -> MODEL:
    """Velocity, at all levels of noise of a range."""
    _check_range(sigma_min, sigma_max)
    return replace(model, sampling=ModelSampling(VPrediction(), VelocityLevels(sigma_min, sigma_max)))


@node("ModelSamplingSD3", category="model/patch/stable diffusion")
def model_sampling_sd3(model: MODEL, shift: Shift = 3.0) -> MODEL:
    """A flow as Stable Diffusion 3 is trained, its levels moved toward noise."""
    return replace(model, sampling=_flow(shift, 1000.0))


@node("ModelSamplingAuraFlow", category=CATEGORY)
def model_sampling_aura_flow(model: MODEL, shift: Shift = 1.73) -> MODEL:
    """A flow as AuraFlow is trained, its levels moved toward noise."""
    return replace(model, sampling=_flow(shift, 1.0))


@node("ModelSamplingFlux", category="model/patch/flux")
def model_sampling_flux(
    model: MODEL,
    max_shift: AdvancedShift = 1.15,
    base_shift: AdvancedShift = 0.5,
    width: Side = 1024,
    height: Side = 1024,
) -> MODEL:
    """A flow as Flux is trained, its levels moved toward noise by how large the picture is."""
    mu = flux_mu(width, height, base_shift, max_shift)
    levels = FlowLevels(partial(exponential_shift, mu=mu), multiplier=1.0, count=FLUX_TIMES)
    return replace(model, sampling=ModelSampling(FlowPrediction(), levels))


def _flow(by: float, multiplier: float) -> ModelSampling:
    if by <= 0:
        raise ValueError(f"shift is {by:g}: it must be above 0, and 1 moves nothing")
    return ModelSampling(FlowPrediction(), FlowLevels(partial(shift, by=by), multiplier))


def _check_range(sigma_min: float, sigma_max: float) -> None:
    if not 0 < sigma_min < sigma_max:
        raise ValueError(
            f"sigma_min is {sigma_min:g} and sigma_max {sigma_max:g}: "
            "the smaller must be above 0, as its logarithm is taken, and the larger above that"
        )
