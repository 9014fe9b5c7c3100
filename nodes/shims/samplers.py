"""`comfy.samplers` and `comfy.sample`: names, schedules, and sampling from a pack's own code."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from models.sampling.guidance import ClassifierFree
from models.sampling.noise import initial_noise
from models.sampling.run import Step, ksampler_sigmas
from models.sampling.run import sample as run
from models.sampling.samplers.table import SAMPLERS, Sampler
from models.sampling.schedules import SCHEDULES
from models.sampling.steps import between_steps, scheduled
from nodes.v1.model import ForeignModel, ForeignModelSampling
from nodes.v1.runtime import NotOfferedError, Runtime
from nodes.v1.values import to_ours

SAMPLER_NAMES = list(SAMPLERS)
SCHEDULER_NAMES = list(SCHEDULES)
WITHOUT_PENULTIMATE = frozenset(name for name, sampler in SAMPLERS.items() if sampler.drops_penultimate_sigma)
Callback = Callable[[int, Tensor, Tensor, int], Any]
"""(step, estimate of the clean latent, noisy latent, steps in all)."""


def sampler_object(name: str) -> Sampler:
    """The sampler of a name, as the SAMPLER wire carries it."""
    return SAMPLERS[name]


def ksampler(sampler_name: str, extra_options: Any = None, inpaint_options: Any = None) -> Sampler:
    """The sampler of a name, as the SAMPLER wire carries it."""
    if extra_options or inpaint_options:
        raise NotOfferedError("options of comfy.samplers.ksampler", "take the node of that sampler")
    return SAMPLERS[sampler_name]


def calculate_sigmas(model_sampling: ForeignModelSampling, scheduler_name: str, steps: int) -> Tensor:
    """The sigmas of a schedule (n + 1,)."""
    return scheduled(SCHEDULES[scheduler_name], model_sampling.ours.sampling.levels, steps)


def prepare_noise(latent_image: Tensor, seed: int, noise_inds: Sequence[int] | None = None) -> Tensor:
    """Standard normal noise of a latent's shape, on the CPU."""
    indices = None if noise_inds is None else [int(index) for index in noise_inds]
    return initial_noise(latent_image.shape, seed, indices)


def fix_empty_latent_channels(model: ForeignModel, latent_image: Tensor, *ratios: Any) -> Tensor:
    """An empty latent with as many channels as the model works on; others as they are."""
    channels = model.ours.latent_format.channels
    if latent_image.shape[1] == channels or torch.count_nonzero(latent_image):
        return latent_image
    return latent_image[:, :1].repeat(1, channels, 1, 1)


class Sampling:
    """Runs of sampling from a pack's own code; each stops when the job is to stop."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def sample(
        self,
        model: ForeignModel,
        noise: Tensor,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        positive: Any,
        negative: Any,
        latent_image: Tensor,
        denoise: float = 1.0,
        disable_noise: bool = False,
        start_step: int | None = None,
        last_step: int | None = None,
        force_full_denoise: bool = False,
        noise_mask: Tensor | None = None,
        sigmas: Tensor | None = None,
        callback: Callback | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """`comfy.sample.sample`: the raw latent after these steps of a schedule."""
        if sigmas is None:
            sigmas = ksampler_sigmas(model.ours, scheduler, steps, denoise, sampler_name)
        sigmas = between_steps(sigmas, start_step or 0, last_step or len(sigmas), not force_full_denoise)
        noise = torch.zeros_like(noise) if disable_noise else noise
        sampler = SAMPLERS[sampler_name]
        return self.sample_custom(
            model, noise, cfg, sampler, sigmas, positive, negative, latent_image, noise_mask, callback, True, seed
        )

    def sample_custom(
        self,
        model: ForeignModel,
        noise: Tensor,
        cfg: float,
        sampler: Sampler,
        sigmas: Tensor,
        positive: Any,
        negative: Any,
        latent_image: Tensor,
        noise_mask: Tensor | None = None,
        callback: Callback | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """`comfy.sample.sample_custom`: the raw latent at the end of these sigmas."""
        if not isinstance(sampler, Sampler):
            raise NotOfferedError(f"a sampler of its own making ({type(sampler).__name__})")
        guidance = ClassifierFree(to_ours(positive), to_ours(negative), cfg)
        if noise_mask is not None and noise_mask.ndim < 4:
            noise_mask = noise_mask.reshape(-1, 1, *noise_mask.shape[-2:])
        check = self._runtime.context.check

        def tell(step: Step) -> None:
            if callback is not None:
                callback(step.index, step.denoised, step.x, step.total)

        ours = model.unwrapped()
        return run(ours, noise, latent_image, guidance, sampler, sigmas, seed or 0, noise_mask, check, tell)


class KSampler:
    """`comfy.samplers.KSampler`: a model with a sampler and a schedule. Weft offers its lists of names."""

    SAMPLERS = SAMPLER_NAMES
    SCHEDULERS = SCHEDULER_NAMES
    DISCARD_PENULTIMATE_SIGMA_SAMPLERS = WITHOUT_PENULTIMATE

    def __init__(
        self,
        model: ForeignModel,
        steps: int,
        device: Any,
        sampler: str | None = None,
        scheduler: str | None = None,
        denoise: float | None = None,
        model_options: Any = None,
    ) -> None:
        self.model = model
        self.steps = steps
        self.sampler = sampler or SAMPLER_NAMES[0]
        self.scheduler = scheduler or SCHEDULER_NAMES[0]
        self.sigmas = ksampler_sigmas(
            model.ours, self.scheduler, steps, 1.0 if denoise is None else denoise, self.sampler
        )
