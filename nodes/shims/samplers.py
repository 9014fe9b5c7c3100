"""`comfy.samplers` and `comfy.sample`: samplers and schedules by name, and sampling from a pack's own code."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from models.sampling.levels import NoiseLevels
from models.sampling.noise import initial_noise
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import SCHEDULES, beta_quantiles
from models.sampling.steps import between_steps, scheduled, without_penultimate
from nodes.shims.k_diffusion import PREFIX
from nodes.v1.asking import calc_cond_batch, cfg_function, sampling_function
from nodes.v1.guiders import Callback, CFGGuider
from nodes.v1.model import ForeignModel
from nodes.v1.model_sampling import sampling_to_ours
from nodes.v1.runtime import NotOfferedError
from nodes.v1.sampler_functions import UNLISTED, function_named
from nodes.v1.samplers import KSAMPLER, KSamplerX0Inpaint, OursAsSampler, PackSampler

DROPPING = frozenset(name for name, sampler in SAMPLERS.items() if sampler.drops_penultimate_sigma)


class SchedulerHandler(NamedTuple):
    """What makes the sigmas of a schedule: of (model sampling, steps), or of (n, sigma_min, sigma_max) by name."""

    handler: Callable[..., Tensor]
    use_ms: bool = True


def levels_of(model_sampling: Any) -> NoiseLevels:
    """The noise levels of what packs hold as a model's sampling."""
    return sampling_to_ours(model_sampling).levels


def handler_of(name: str) -> SchedulerHandler:
    """The handler of one of our schedules."""
    return SchedulerHandler(lambda model_sampling, steps: scheduled(SCHEDULES[name], levels_of(model_sampling), steps))


def normal_scheduler(model_sampling: Any, steps: int, sgm: bool = False, floor: bool = False) -> Tensor:
    """Sigmas at even timesteps (n + 1,); `sgm` leaves the least noisy out."""
    return SCHEDULES["sgm_uniform" if sgm else "normal"](levels_of(model_sampling), steps)


def simple_scheduler(model_sampling: Any, steps: int) -> Tensor:
    """Every so many sigmas of training (n + 1,)."""
    return SCHEDULES["simple"](levels_of(model_sampling), steps)


def ddim_scheduler(model_sampling: Any, steps: int) -> Tensor:
    """Every so many sigmas of training, counted from the least noisy."""
    return SCHEDULES["ddim_uniform"](levels_of(model_sampling), steps)


def beta_scheduler(model_sampling: Any, steps: int, alpha: float = 0.6, beta: float = 0.6) -> Tensor:
    """Sigmas at the quantiles of a beta distribution (n + 1,)."""
    return beta_quantiles(levels_of(model_sampling), steps, alpha, beta)


def linear_quadratic_schedule(model_sampling: Any, steps: int) -> Tensor:
    """Sigmas that fall linearly and then by a square (n + 1,)."""
    return SCHEDULES["linear_quadratic"](levels_of(model_sampling), steps)


class Samplers:
    """The attributes of the module for one worker. Packs add names to its lists and handlers to its dictionary."""

    KSAMPLER = KSAMPLER
    KSamplerX0Inpaint = KSamplerX0Inpaint
    Sampler = PackSampler
    CFGGuider = CFGGuider
    SchedulerHandler = SchedulerHandler

    calc_cond_batch = staticmethod(calc_cond_batch)
    cfg_function = staticmethod(cfg_function)
    sampling_function = staticmethod(sampling_function)
    normal_scheduler = staticmethod(normal_scheduler)
    simple_scheduler = staticmethod(simple_scheduler)
    ddim_scheduler = staticmethod(ddim_scheduler)
    beta_scheduler = staticmethod(beta_scheduler)
    linear_quadratic_schedule = staticmethod(linear_quadratic_schedule)

    module: ModuleType
    """The module of these attributes, in which packs may have put others in their place."""

    def __init__(self, functions: ModuleType) -> None:
        self.k_diffusion_sampling = functions
        self.SAMPLER_NAMES = list(SAMPLERS)
        self.KSAMPLER_NAMES = [name for name in SAMPLERS if name not in ("ddim", "uni_pc", "uni_pc_bh2")]
        self.SCHEDULER_NAMES = list(SCHEDULES)
        self.SCHEDULER_HANDLERS = {name: handler_of(name) for name in SCHEDULES}
        self.KSampler = type("KSampler", (KSampler,), {"lists": self, "__module__": "comfy.samplers"})
        self.KSampler.SAMPLERS = self.SAMPLER_NAMES
        self.KSampler.SCHEDULERS = self.SCHEDULER_NAMES
        self.KSampler.DISCARD_PENULTIMATE_SIGMA_SAMPLERS = set(DROPPING)

    def ksampler(
        self,
        sampler_name: str,
        extra_options: Mapping[str, Any] | None = None,
        inpaint_options: Mapping[str, Any] | None = None,
    ) -> Any:
        """The sampler of a name: one of ours, or a function that a pack has put into k_diffusion.sampling."""
        function = vars(self.k_diffusion_sampling).get(f"{PREFIX}{sampler_name}")
        is_ours = sampler_name in SAMPLERS and function in (None, function_named(sampler_name))
        if is_ours and not extra_options and not inpaint_options:
            return OursAsSampler(SAMPLERS[sampler_name])
        if function is None and sampler_name in UNLISTED:
            raise NotOfferedError(f"options of comfy.samplers.ksampler({sampler_name!r})", "take its node")
        if function is None:
            function = getattr(self.k_diffusion_sampling, f"{PREFIX}{sampler_name}")
        return KSAMPLER(function, extra_options, inpaint_options)

    def sampler_object(self, name: str) -> Any:
        """The sampler of a name."""
        return self.ksampler(name)

    def calculate_sigmas(self, model_sampling: Any, scheduler_name: str, steps: int) -> Tensor:
        """The sigmas of a schedule (n + 1,)."""
        handler = self.SCHEDULER_HANDLERS.get(scheduler_name)
        if handler is None:
            raise ValueError(
                f"there is no schedule {scheduler_name!r}; there are {', '.join(map(str, self.SCHEDULER_HANDLERS))}"
            )
        if handler.use_ms:
            return handler.handler(model_sampling, steps)
        ends = {name: float(getattr(model_sampling, name)) for name in ("sigma_min", "sigma_max")}
        return handler.handler(n=steps, **ends)

    def sample(
        self,
        model: Any,
        noise: Tensor,
        positive: Any,
        negative: Any,
        cfg: float,
        device: Any,
        sampler: Any,
        sigmas: Tensor,
        model_options: dict[str, Any] | None = None,
        latent_image: Tensor | None = None,
        denoise_mask: Tensor | None = None,
        callback: Callback | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """The raw latent at the end of these sigmas, by classifier-free guidance."""
        options = model.model_options if model_options is None else model_options
        guider = CFGGuider(ForeignModel(model.ours, options))
        guider.set_conds(positive, negative)
        guider.set_cfg(cfg)
        latent = torch.zeros_like(noise) if latent_image is None else latent_image
        return guider.sample(noise, latent, sampler, sigmas, denoise_mask, callback, disable_pbar, seed)


class KSampler:
    """`comfy.samplers.KSampler`: a model with a sampler and a schedule, and the lists of their names."""

    lists: Samplers
    SAMPLERS: list[str]
    SCHEDULERS: list[str]
    DISCARD_PENULTIMATE_SIGMA_SAMPLERS: set[str]

    def __init__(
        self,
        model: Any,
        steps: int,
        device: Any,
        sampler: str | None = None,
        scheduler: str | None = None,
        denoise: float | None = None,
        model_options: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.device = device
        self.sampler = sampler if sampler in self.SAMPLERS else self.SAMPLERS[0]
        self.scheduler = scheduler if scheduler in self.SCHEDULERS else self.SCHEDULERS[0]
        self.model_options = getattr(model, "model_options", {}) if model_options is None else model_options
        self.set_steps(steps, denoise)

    def calculate_sigmas(self, steps: int) -> Tensor:
        """The sigmas of so many steps (n + 1,)."""
        drops = self.sampler in self.DISCARD_PENULTIMATE_SIGMA_SAMPLERS
        inner = self.model.model if isinstance(self.model, ForeignModel) else self.model
        # Packs put functions of their own in the module's place.
        calculate = self.lists.module.calculate_sigmas
        sigmas = calculate(inner.model_sampling, self.scheduler, steps + 1 if drops else steps)
        return without_penultimate(sigmas) if drops else sigmas

    def set_steps(self, steps: int, denoise: float | None = None) -> None:
        """Sets how many steps are walked, and how much of the noise they are."""
        self.steps, self.denoise = steps, denoise
        if denoise is None or denoise > 0.9999:
            self.sigmas = self.calculate_sigmas(steps)
        elif denoise <= 0:
            self.sigmas = torch.zeros(0)
        else:
            self.sigmas = self.calculate_sigmas(int(steps / denoise))[-(steps + 1) :]

    def sample(
        self,
        noise: Tensor,
        positive: Any,
        negative: Any,
        cfg: float,
        latent_image: Tensor | None = None,
        start_step: int | None = None,
        last_step: int | None = None,
        force_full_denoise: bool = False,
        denoise_mask: Tensor | None = None,
        sigmas: Tensor | None = None,
        callback: Callback | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """The raw latent after a part of the steps."""
        sigmas = self.sigmas if sigmas is None else sigmas
        end = len(sigmas) if last_step is None else last_step
        sigmas = between_steps(sigmas, start_step or 0, end, not force_full_denoise)
        samplers = self.lists.module
        sampler = samplers.sampler_object(self.sampler)
        latent = torch.zeros_like(noise) if latent_image is None else latent_image
        return samplers.sample(
            self.model, noise, positive, negative, cfg, self.device, sampler, sigmas, self.model_options, latent,
            denoise_mask, callback, disable_pbar, seed,
        )  # fmt: skip


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
    """The functions of `comfy.sample` for one worker."""

    prepare_noise = staticmethod(prepare_noise)
    fix_empty_latent_channels = staticmethod(fix_empty_latent_channels)

    def __init__(self, samplers: ModuleType) -> None:
        self._samplers = samplers

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
        """The raw latent after these steps of a schedule."""
        sampler = self._samplers.KSampler(
            model, steps, model.load_device, sampler_name, scheduler, denoise, model.model_options
        )
        noise = torch.zeros_like(noise) if disable_noise else noise
        return sampler.sample(
            noise, positive, negative, cfg, latent_image, start_step, last_step, force_full_denoise, noise_mask,
            sigmas, callback, disable_pbar, seed,
        )  # fmt: skip

    def sample_custom(
        self,
        model: ForeignModel,
        noise: Tensor,
        cfg: float,
        sampler: Any,
        sigmas: Tensor,
        positive: Any,
        negative: Any,
        latent_image: Tensor,
        noise_mask: Tensor | None = None,
        callback: Callback | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """The raw latent at the end of these sigmas."""
        return self._samplers.sample(
            model, noise, positive, negative, cfg, model.load_device, sampler, sigmas, model.model_options,
            latent_image, noise_mask, callback, disable_pbar, seed,
        )  # fmt: skip
