"""Nodes that denoise latents."""

import time
from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor

from models.preview import latent_to_image, to_jpeg
from models.sampling.guidance import ClassifierFree
from models.sampling.noise import initial_noise
from models.sampling.run import Step, finish, ksampler_sigmas, sample
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import SCHEDULES
from models.sampling.steps import between_steps
from models.types import Conditioning, Latent, LatentFormat, Model
from nodes.context import Context
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

PREVIEW_INTERVAL = 0.1
"""Seconds between two previews: a small model takes steps faster than anybody looks."""


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
    sigmas = ksampler_sigmas(model, scheduler, steps, denoise, sampler_name)
    noise = _noise(latent_image, seed)
    return _sampled(context, model, noise, latent_image, positive, negative, cfg, sampler_name, sigmas, seed)


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
    whole = ksampler_sigmas(model, scheduler, steps, 1.0, sampler_name)
    sigmas = between_steps(whole, start_at_step, end_at_step, return_with_leftover_noise == "enable")
    noise = torch.zeros_like(latent_image.samples) if add_noise == "disable" else _noise(latent_image, noise_seed)
    return _sampled(context, model, noise, latent_image, positive, negative, cfg, sampler_name, sigmas, noise_seed)


def _noise(latent: Latent, seed: int) -> Tensor:
    return initial_noise(latent.samples.shape, seed, latent.batch_index)


def _sampled(
    context: Context,
    model: Model,
    noise: Tensor,
    latent: Latent,
    positive: Conditioning,
    negative: Conditioning,
    cfg: float,
    sampler: str,
    sigmas: Tensor,
    seed: int,
) -> Latent:
    run = sample(
        model,
        noise,
        latent.samples,
        ClassifierFree(positive, negative, cfg),
        SAMPLERS[sampler],
        sigmas,
        seed,
        noise_mask=latent.noise_mask,
        before_evaluation=context.check,
    )
    return replace(latent, samples=finish(run, _Reporter(context, model.latent_format)))


class _Reporter:
    """Tells the progress of each step, with a preview of the estimated picture as often as anybody looks."""

    def __init__(self, context: Context, latent_format: LatentFormat) -> None:
        self._context = context
        self._format = latent_format
        self._next_preview = 0.0

    def __call__(self, step: Step) -> None:
        done = step.index + 1
        self._context.progress(done, step.total, self._preview(step) if self._wanted(done == step.total) else None)

    def _wanted(self, last: bool) -> bool:
        if self._context.settings.preview_method == "none":
            return False
        return last or time.monotonic() >= self._next_preview

    def _preview(self, step: Step) -> bytes:
        self._next_preview = time.monotonic() + PREVIEW_INTERVAL
        return to_jpeg(latent_to_image(step.denoised, self._format))
