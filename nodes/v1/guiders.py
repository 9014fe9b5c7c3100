"""Guiders in foreign hands and guiders that packs make: `comfy.samplers.CFGGuider`, which packs derive from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from models.sampling.denoiser import Estimates
from models.sampling.evaluation import Asker
from models.sampling.guidance import ClassifierFree, Guidance, Guided, Guider, Unguided
from models.sampling.named import Walker
from models.sampling.patches import Ask
from models.sampling.run import Step, sample
from models.types import Model
from nodes.v1.apply_model import single_sigma
from nodes.v1.asking import ask_with, sampling_function, told_options
from nodes.v1.conditioning import conditioning_to_ours
from nodes.v1.conds import Conds, conds_to_ours
from nodes.v1.model import ForeignModel
from nodes.v1.model_options import Options, set_model_options_post_cfg_function
from nodes.v1.model_parts import BaseModel
from nodes.v1.runtime import NotOfferedError, check_running
from nodes.v1.samplers import sampler_to_foreign, sampler_to_ours
from nodes.v1.wrapper_options import WrapperExecutor, WrappersMP, get_all_wrappers

Callback = Callable[[int, Tensor, Tensor, int], Any]
"""(step, estimate of the clean latent, noisy latent, steps in all)."""

OUTER = ("sample", "outer_sample")
"""Methods of a guider that surround a whole run."""


class CFGGuider:
    """A model and what guides it. Packs replace methods of it, mostly `predict_noise`.

    While it samples, `inner_model` is the model that can be asked, and `conds` are the conditionings by name.
    """

    inner_model: BaseModel
    conds: dict[str, Any]

    def __init__(self, model_patcher: ForeignModel) -> None:
        self.model_patcher = model_patcher
        self.model_options = model_patcher.model_options
        self.original_conds: dict[str, Any] = {}
        self.cfg = 1.0

    def set_conds(self, positive: Any, negative: Any) -> None:
        """Sets what guides toward, and away."""
        self.inner_set_conds({"positive": positive, "negative": negative})

    def set_cfg(self, cfg: float) -> None:
        """Sets how strongly."""
        self.cfg = cfg

    def inner_set_conds(self, conds: Mapping[str, Any]) -> None:
        """Sets conditionings by name."""
        self.original_conds |= {name: Conds(conditioning_to_ours(cond)) for name, cond in conds.items()}

    def __call__(self, *arguments: Any, **named: Any) -> Tensor:
        return self.predict_noise(*arguments, **named)

    def predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: Mapping[str, Any] | None = None, seed: int | None = None
    ) -> Tensor:
        """The guided estimate of the clean latent (b c h w) at the sigmas (b,)."""
        positive, negative = self.conds.get("positive"), self.conds.get("negative")
        return sampling_function(self.inner_model, x, timestep, negative, positive, self.cfg, model_options, seed)

    def sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Any,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callback | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """The raw latent at the end of these sigmas."""
        executor = WrapperExecutor(self.outer_sample, self, run_wrappers(self.model_options))
        return executor.execute(noise, latent_image, sampler, sigmas, denoise_mask, callback, disable_pbar, seed)

    def outer_sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Any,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callback | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """The raw latent at the end of these sigmas."""

        def tell(step: Step) -> None:
            if callback is not None:
                callback(step.index, step.denoised, step.x, step.total)

        walker, mask = sampler_to_ours(sampler, guided_by), None if denoise_mask is None else _four_axes(denoise_mask)
        model = self.model_patcher.unwrapped()
        guidance = self.as_guidance()
        try:
            return sample(model, noise, latent_image, guidance, walker, sigmas, seed or 0, mask, check_running, tell)
        finally:
            self.end()

    def begin(self, model: BaseModel) -> None:
        """Takes up a run in which the model can be asked."""
        self.inner_model = model
        self.conds = {name: cond.copied() for name, cond in self.original_conds.items()}

    def end(self) -> None:
        """Lets go of the model and all that belongs to the run."""
        for name in ("inner_model", "conds"):
            self.__dict__.pop(name, None)

    def as_guidance(self) -> Guidance:
        """What guides, as a guidance of ours."""
        if has_own(self, "predict_noise", "__call__"):
            return GuidanceOfPack(self)
        positive, negative = (self.original_conds.get(name) for name in ("positive", "negative"))
        if positive is None:
            raise NotOfferedError("a guider without a positive conditioning and without a predict_noise of its own")
        toward = conds_to_ours(positive)
        return Unguided(toward) if negative is None else ClassifierFree(toward, conds_to_ours(negative), self.cfg)


def has_own(guider: CFGGuider, *names: str) -> bool:
    """Whether a pack has written one of these methods itself, in a class or for this guider alone."""
    return any(name in vars(guider) or getattr(type(guider), name) is not getattr(CFGGuider, name) for name in names)


class OursAsGuider(CFGGuider):
    """A guidance of ours in foreign hands."""

    def __init__(self, model_patcher: ForeignModel, guidance: Guidance) -> None:
        super().__init__(model_patcher)
        self.guidance = guidance
        self.cfg = float(getattr(guidance, "cfg", 1.0))
        named = {"positive": ("positive", "first", "conditioning"), "negative": ("negative",)}
        for name, fields in named.items():
            found = next((value for one in fields if (value := getattr(guidance, one, None))), None)
            if found is not None:
                self.original_conds[name] = Conds(found)

    def predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: Mapping[str, Any] | None = None, seed: int | None = None
    ) -> Tensor:
        """The guided estimate of the clean latent (b c h w) at the sigmas (b,)."""
        return self.guidance.denoised(ask_with(self.inner_model, model_options), x, single_sigma(timestep))

    def as_guidance(self) -> Guidance:
        """What guides, as a guidance of ours."""
        return self.guidance


@dataclass(frozen=True, eq=False)
class GuidanceOfPack:
    """What a guider of a pack says."""

    theirs: CFGGuider
    _run: list[tuple[Ask, Options]] = field(default_factory=list[tuple[Ask, Options]])
    """The run that is going on."""

    def denoised(self, ask: Ask, x: Tensor, sigma: Tensor) -> Tensor:
        return self._asked(x, sigma, self._options(ask))

    def both(self, ask: Ask, x: Tensor, sigma: Tensor) -> Estimates:
        found: list[Tensor] = []

        def note(told: Mapping[str, Any]) -> Tensor:
            found.append(told["uncond_denoised"])
            return told["denoised"]

        options = set_model_options_post_cfg_function(self._options(ask), note, disable_cfg1_optimization=True)
        denoised = self._asked(x, sigma, options)
        if not found:
            raise ValueError(
                "a CFG++ sampler steps away from the estimate of a negative prompt, and this pack's guider tells none: "
                "use another sampler or guider"
            )
        return Estimates(denoised, found[-1])

    def _options(self, ask: Ask) -> Options:
        """The options of the run, which begins where there is another model to be asked."""
        if not self._run or self._run[-1][0] is not ask:
            assert isinstance(ask, Asker)
            model = self.theirs.model_patcher
            self.theirs.begin(BaseModel(model.ours, ask))
            self._run[:] = [(ask, told_options(ask.patches, ask.occasion.sigmas))]
        return self._run[-1][1]

    def _asked(self, x: Tensor, sigma: Tensor, options: Options) -> Tensor:
        seed = self.theirs.inner_model.ask.occasion.seed  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
        with torch.no_grad():
            return self.theirs(x, sigma.expand(len(x)).to(x.device), model_options=options, seed=seed)


def guider_to_foreign(guider: Guider) -> CFGGuider:
    """A guider as packs expect it; a pack's own as it was."""
    if isinstance(guider, GuiderOfPack):
        return guider.theirs
    return foreign_guider(ForeignModel(guider.model), guider.guidance)


def foreign_guider(model: ForeignModel, guidance: Guidance) -> CFGGuider:
    """What guides a model, as packs expect it."""
    if isinstance(guidance, GuidanceOfPack):
        return guidance.theirs
    if not isinstance(guidance, ClassifierFree):
        return OursAsGuider(model, guidance)
    guider = CFGGuider(model)
    guider.original_conds = {"positive": Conds(guidance.positive), "negative": Conds(guidance.negative)}
    guider.cfg = guidance.cfg
    return guider


@dataclass(frozen=True)
class GuiderOfPack(Guider):
    """A guider that a pack has made or changed."""

    theirs: CFGGuider = field(kw_only=True)


@dataclass(frozen=True)
class SamplingGuider(GuiderOfPack):
    """A guider with methods of a pack's own, which samples by them."""

    def sampled(
        self,
        noise: Tensor,
        latent: Tensor,
        sampler: Walker,
        sigmas: Tensor,
        seed: int,
        noise_mask: Tensor | None,
        each: Callable[[Step], None],
    ) -> Tensor:
        """Samples by the pack's own method."""

        def tell(index: int, denoised: Tensor, x: Tensor, total: int) -> None:
            each(Step(x, denoised, index, total))

        with torch.no_grad():
            return self.theirs.sample(
                noise, latent, sampler_to_foreign(sampler), sigmas, noise_mask, tell, disable_pbar=True, seed=seed
            )


def guider_to_ours(theirs: CFGGuider) -> Guider:
    """The guider for our samplers."""
    guidance = theirs.as_guidance()
    is_around = has_own(theirs, *OUTER) or bool(run_wrappers(theirs.model_options))
    kind = SamplingGuider if is_around or isinstance(guidance, GuidanceOfPack) else GuiderOfPack
    return kind(theirs.model_patcher.unwrapped(), guidance, theirs=theirs)


def model_to_ours(theirs: ForeignModel) -> Model:
    """The model; what packs have put around its runs is around those of our nodes too."""
    model = theirs.unwrapped()
    if not run_wrappers(theirs.model_options):
        return model
    return replace(model, patches=replace(model.patches, run=_sampling_itself))


def _sampling_itself(guider: Guider) -> SamplingGuider:
    return SamplingGuider(guider.model, guider.guidance, theirs=guider_to_foreign(guider))


def run_wrappers(options: Mapping[str, Any]) -> list[Callable[..., Any]]:
    """What model options say is to be around whole runs."""
    return get_all_wrappers(WrappersMP.OUTER_SAMPLE, options, is_model_options=True)


def guided_by(guided: Guided, model: Model) -> CFGGuider:
    """The guider of a run that is going on, taken up."""
    handle = ForeignModel(model)
    guider = foreign_guider(handle, guided.guidance)
    guider.begin(BaseModel(handle.ours, guided.ask))
    return guider


def _four_axes(mask: Tensor) -> Tensor:
    return mask if mask.ndim == 4 else mask.reshape(-1, 1, *mask.shape[-2:])
