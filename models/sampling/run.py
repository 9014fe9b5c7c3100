"""One run of sampling: from a raw latent, noise and a guidance to a raw latent, step by step."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from models.conditioning import Occasion
from models.sampling.denoiser import GuidedDenoiser, is_largest
from models.sampling.entries import Rules
from models.sampling.evaluation import Asker, ConditionedDenoiser
from models.sampling.guidance import Guidance, Guided
from models.sampling.masking import Masked, mask_like, noise_of_kept_part
from models.sampling.named import SamplingNames, Walker, built_in
from models.sampling.patches import Moment
from models.sampling.samplers.common import State
from models.sampling.steps import partly_scheduled
from models.types import Model


@dataclass(frozen=True, eq=False)
class Step:
    """A finished step, in model scale: the latent and the estimate of the clean latent it began with, (b c h w)."""

    x: Tensor
    denoised: Tensor
    index: int
    total: int


def ksampler_sigmas(
    model: Model, scheduler: str, steps: int, denoise: float, sampler: str, names: SamplingNames | None = None
) -> Tensor:
    """The sigmas that the plain sampler nodes walk: (n + 1,), or empty where denoise is zero. Raises KeyError for a
    sampler or schedule that is not among the names (None: ours)."""
    names = names or built_in()
    drop_penultimate = names.samplers[sampler].drops_penultimate_sigma
    return partly_scheduled(names.schedules[scheduler], model.sampling.levels, steps, denoise, drop_penultimate)


def sample(
    model: Model,
    noise: Tensor,
    latent: Tensor,
    guidance: Guidance,
    sampler: Walker,
    sigmas: Tensor,
    seed: int,
    noise_mask: Tensor | None = None,
    before_evaluation: Callable[[], None] = lambda: None,
    each: Callable[[Step], None] = lambda step: None,
) -> Tensor:
    """Walks the raw latent (b c h w) plus noise down the sigmas, showing every step to `each`; returns the raw result.

    noise (b c h w) is standard normal, or zero where the latent is noisy already. before_evaluation is called before
    each evaluation of the network and may raise to stop there, as `each` may to stop after a step. With fewer than
    two sigmas the latent comes back as it was. The result is on the latent's device.
    """
    _check(model, noise, latent)
    if len(sigmas) < 2:
        return latent
    _check_sigmas(sigmas)
    device, latent_format = model.unet.device, model.latent_format
    levels, prediction = model.sampling.levels, model.sampling.prediction
    start = latent_format.start(latent.to(device, torch.float32))
    noise = noise.to(device, torch.float32)
    mask = None if noise_mask is None else mask_like(noise_mask, start)
    occasion = Occasion(start, latent_format.stride, mask, seed, sigmas=sigmas.to(device), noise=noise)
    tell = _teller(each, len(sigmas) - 1)
    with model.unet.on_device(model.weights) as network:
        evaluate = ConditionedDenoiser(network, prediction, levels, model.unet.dtype, before_evaluation)
        rules = Rules(levels, model.vector, model.concat)
        denoise: GuidedDenoiser = Guided(Asker(evaluate, occasion, rules, model.patches), guidance)
        if mask is not None:
            covering = noise_of_kept_part(latent, seed).to(device) if sampler.renews_masked_noise else noise
            denoise = Masked(denoise, prediction, mask, start, covering, _mask_changes(model, sigmas))
        x = prediction.noised(start, noise, sigmas[0], is_largest(sigmas[0], levels.sigma_max))
        x = sampler.run(denoise, x, sigmas, seed, model, tell)
    return latent_format.raw(prediction.ended(x, sigmas[-1])).to(latent.device)


def _teller(each: Callable[[Step], None], total: int) -> Callable[[State], None]:
    """What makes the steps of a schedule of a sampler's states, in their order."""
    indices = count()

    def tell(state: State) -> None:
        each(Step(state.x, state.denoised, _step_reached(state, next(indices), total), total))

    return tell


def _mask_changes(model: Model, sigmas: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """What the model's patches make of a noise mask at each sigma of a run."""
    patch = model.patches.mask
    if patch is None:
        return lambda mask, sigma: mask
    return lambda mask, sigma: patch(mask, Moment(sigma, sigmas, model.sampling.levels))


def _step_reached(state: State, index: int, total: int) -> int:
    """The step of the schedule that a sampler's index-th state stands for."""
    if state.way is None:
        return index
    return max(0, min(total, int(state.way * total)) - 1)


def _check(model: Model, noise: Tensor, latent: Tensor) -> None:
    channels = model.latent_format.channels
    if latent.ndim != 4 or latent.shape[1] != channels:
        raise ValueError(
            f"the model works on latents of {channels} channels (b, {channels}, h, w); "
            f"this one is {tuple(latent.shape)}: it was made for another family of models"
        )
    if noise.shape != latent.shape:
        raise ValueError(f"the noise is {tuple(noise.shape)} but the latent {tuple(latent.shape)}")


def _check_sigmas(sigmas: Tensor) -> None:
    for index, sigma in enumerate(sigmas[:-1].tolist()):
        if not sigma > 0:
            raise ValueError(
                f"number {index + 1} of the {len(sigmas)} sigmas is {sigma:g}, and no sampler can step from there: "
                "only the last may be 0 (a sigma_min of 0 makes two), and all others must be above"
            )
