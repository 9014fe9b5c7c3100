"""Nodes that denoise latents."""

from typing import Annotated

from models.sampling.guidance import ClassifierFree, Guider
from models.sampling.named import SamplingNames, built_in
from models.sampling.noise import NoNoise, RandomNoise
from models.sampling.run import ksampler_sigmas
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import SCHEDULES
from models.sampling.steps import between_steps
from nodes.context import Context
from nodes.denoising import denoised
from nodes.sockets import CONDITIONING, LATENT, MODEL
from nodes.spec import Choice, Help, Number, node

Seed = Annotated[int, Number(0, 2**64 - 1, control_after_generate=True)]
Steps = Annotated[int, Number(1, 10000)]
Cfg = Annotated[
    float, Number(0.0, 100.0, step=0.1, round=0.01), Help("How strongly the prompt guides; 1 is not at all")
]
SamplerName = Annotated[str, Choice(tuple(SAMPLERS))]
SchedulerName = Annotated[str, Choice(tuple(SCHEDULES))]
Denoise = Annotated[float, Number(0.0, 1.0, step=0.01), Help("How much of the latent is replaced: 1 is all of it")]
StepIndex = Annotated[int, Number(0, 10000), Help(advanced=True)]
# Not Literals: typing takes two of the same words for one, and the order says which is the default.
EnableDisable = Annotated[str, Choice(("enable", "disable")), Help(advanced=True)]
DisableEnable = Annotated[str, Choice(("disable", "enable")), Help(advanced=True)]


@node("KSampler", category="model/sampling")
def ksampler(
    *,
    model: MODEL,
    seed: Seed = 0,
    steps: Steps = 20,
    cfg: Cfg = 8.0,
    sampler_name: SamplerName,
    scheduler: SchedulerName,
    positive: CONDITIONING,
    negative: CONDITIONING,
    latent_image: LATENT,
    denoise: Denoise = 1.0,
    context: Context,
) -> LATENT:
    """Turns noise into a latent picture, step by step, guided toward one prompt and away from the other."""
    names = context.services.get(SamplingNames, built_in)
    sigmas = ksampler_sigmas(model, scheduler, steps, denoise, sampler_name, names)
    guider = Guider(model, ClassifierFree(positive, negative, cfg))
    return denoised(context, guider, RandomNoise(seed), latent_image, names.samplers[sampler_name], sigmas).result


@node("KSamplerAdvanced", name="KSampler (Advanced)", category="model/sampling")
def ksampler_advanced(
    *,
    model: MODEL,
    add_noise: EnableDisable,
    noise_seed: Seed = 0,
    steps: Steps = 20,
    cfg: Cfg = 8.0,
    sampler_name: SamplerName,
    scheduler: SchedulerName,
    positive: CONDITIONING,
    negative: CONDITIONING,
    latent_image: LATENT,
    start_at_step: StepIndex = 0,
    end_at_step: StepIndex = 10000,
    return_with_leftover_noise: DisableEnable,
    context: Context,
) -> LATENT:
    """Walks a part of a schedule, so that another sampler can go on where this one stops."""
    names = context.services.get(SamplingNames, built_in)
    whole = ksampler_sigmas(model, scheduler, steps, 1.0, sampler_name, names)
    sigmas = between_steps(whole, start_at_step, end_at_step, return_with_leftover_noise == "enable")
    guider = Guider(model, ClassifierFree(positive, negative, cfg))
    noise = NoNoise(noise_seed) if add_noise == "disable" else RandomNoise(noise_seed)
    return denoised(context, guider, noise, latent_image, names.samplers[sampler_name], sigmas).result
