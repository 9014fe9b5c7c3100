"""Samplers both ways: functions of packs in k-diffusion's form for our runs, and our samplers in foreign hands.

That form is (model, x, sigmas, extra_args, callback, disable, …) → x, where model(x, sigma (b,), **extra_args) is the
clean estimate and the callback is told a dictionary at each step.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.sampling.denoiser import Estimates, GuidedDenoiser
from models.sampling.evaluation import Asker
from models.sampling.guidance import Guided
from models.sampling.masking import Masked
from models.sampling.named import Walker
from models.sampling.patches import Moment
from models.sampling.samplers.common import State
from models.sampling.samplers.table import SAMPLERS, Sampler
from models.types import Model
from nodes.v1.apply_model import single_sigma
from nodes.v1.asking import ask_with, told_options
from nodes.v1.runtime import NotOfferedError
from nodes.v1.sampler_functions import Function, function_named, function_of

GuidedBy = Callable[[Guided, Model], Any]
"""(guided model, its handle) → the guider that packs see, taken up."""

HALF_A_STEP = 0.5
"""Past the end of a step, so that rounding does not move its share of the way into another."""


class KSamplerX0Inpaint:
    """What a sampler's function is given as the model: a guider, behind the noise mask of the run."""

    latent_image: Tensor
    noise: Tensor

    def __init__(self, model: Any, sigmas: Tensor) -> None:
        self.inner_model = model
        self.sigmas = sigmas

    def __call__(
        self,
        x: Tensor,
        sigma: Tensor,
        denoise_mask: Tensor | None = None,
        model_options: Mapping[str, Any] | None = None,
        seed: int | None = None,
    ) -> Tensor:
        guider = self.inner_model
        if denoise_mask is None:
            return guider(x, sigma, model_options=model_options, seed=seed)
        sampling = guider.inner_model.ours.sampling
        mask_patch = ask_with(guider.inner_model, model_options).patches.mask

        def guided(x: Tensor, sigma: Tensor) -> Tensor:
            return guider(x, sigma.expand(len(x)), model_options=model_options, seed=seed)

        def changed(mask: Tensor, sigma: Tensor) -> Tensor:
            if mask_patch is None:
                return mask
            return mask_patch(mask, Moment(sigma.cpu(), self.sigmas.cpu(), sampling.levels))

        denoise = _Single(guided)
        masked = Masked(denoise, sampling.prediction, denoise_mask, self.latent_image, self.noise, changed)
        return masked(x, single_sigma(sigma))


@dataclass(frozen=True)
class _Single:
    """A denoiser that knows the guided estimate only."""

    guided: Callable[[Tensor, Tensor], Tensor]

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.guided(x, sigma)

    def both(self, x: Tensor, sigma: Tensor) -> Estimates:
        raise TypeError("a masked estimate has no unguided one")


class PackSampler:
    """`comfy.samplers.Sampler`: packs derive from it and write `sample`."""

    def max_denoise(self, model_wrap: Any, sigmas: Tensor) -> bool:
        """Whether the first sigma means starting from pure noise."""
        largest = float(model_wrap.inner_model.model_sampling.sigma_max)
        return float(sigmas[0]) > largest or abs(float(sigmas[0]) - largest) <= 1e-5 * largest


class KSAMPLER(PackSampler):
    """A function in k-diffusion's form with its options, as the SAMPLER wire carries it to packs."""

    def __init__(
        self,
        sampler_function: Function,
        extra_options: Mapping[str, Any] | None = None,
        inpaint_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.sampler_function = sampler_function
        self.extra_options = dict(extra_options or {})
        self.inpaint_options = dict(inpaint_options or {})

    def sample(
        self,
        model_wrap: Any,
        sigmas: Tensor,
        extra_args: dict[str, Any],
        callback: Callable[[int, Tensor, Tensor, int], Any] | None,
        noise: Tensor,
        latent_image: Tensor | None = None,
        denoise_mask: Tensor | None = None,
        disable_pbar: bool = False,
    ) -> Tensor:
        """Walks the noisy latent down the sigmas; latent_image is in the network's scale."""
        latent = torch.zeros_like(noise) if latent_image is None else latent_image
        sampling, total = model_wrap.inner_model.model_sampling, len(sigmas) - 1
        model = KSamplerX0Inpaint(model_wrap, sigmas)
        model.latent_image, model.noise = latent, self._covering(noise, extra_args)
        x = sampling.noise_scaling(sigmas[0], noise, latent, self.max_denoise(model_wrap, sigmas))

        def tell(state: Mapping[str, Any]) -> None:
            if callback is not None:
                callback(state["i"], state["denoised"], state["x"], total)

        extra_args = extra_args | {"denoise_mask": denoise_mask}
        x = self.sampler_function(
            model, x, sigmas, extra_args=extra_args, callback=tell, disable=disable_pbar, **self.extra_options
        )
        return sampling.inverse_noise_scaling(sigmas[-1], x)

    def _covering(self, noise: Tensor, extra_args: Mapping[str, Any]) -> Tensor:
        """The noise over the part that a mask keeps: another than that of the rest, if that is asked for."""
        if not self.inpaint_options.get("random", False):
            return noise
        generator = torch.Generator().manual_seed((extra_args.get("seed", 41) + 1) % 2**64)
        return torch.randn(noise.shape, generator=generator).to(noise)


@dataclass(frozen=True, eq=False)
class SamplerOfPack:
    """A sampler of a pack, for our runs: what `find` finds when it is used."""

    find: Callable[[], Any]
    guided_by: GuidedBy
    drops_penultimate_sigma: bool = False

    @property
    def theirs(self) -> Any:
        """The sampler as the pack has made it."""
        return self.find()

    @property
    def renews_masked_noise(self) -> bool:
        return bool(getattr(self.theirs, "inpaint_options", {}).get("random", False))

    def run(
        self,
        denoise: GuidedDenoiser,
        x: Tensor,
        sigmas: Tensor,
        seed: int,
        model: Model,
        each: Callable[[State], None],
    ) -> Tensor:
        """Calls the pack's function, with torch's own generator set as packs expect it for this seed."""
        theirs = self.theirs
        masked = denoise if isinstance(denoise, Masked) else None
        guided = denoise if masked is None else masked.denoise
        assert isinstance(guided, Guided)
        assert isinstance(guided.ask, Asker)
        occasion, total = guided.ask.occasion, len(sigmas) - 1
        assert occasion.noise is not None
        guider = self.guided_by(guided, model)
        sigmas = sigmas.to(x.device)
        extra_args: dict[str, Any] = {"model_options": told_options(guided.ask.patches, sigmas), "seed": seed}

        def tell(index: int, denoised: Tensor, x: Tensor) -> None:
            each(State(x, denoised, (index + 1 + HALF_A_STEP) / total))

        with _seeded(x, seed), torch.no_grad():
            if not _has_own_sample(theirs):
                wrapped = KSamplerX0Inpaint(guider, sigmas)
                wrapped.latent_image, wrapped.noise = occasion.start, occasion.noise if masked is None else masked.noise
                return theirs.sampler_function(
                    wrapped,
                    x,
                    sigmas,
                    extra_args=extra_args | {"denoise_mask": occasion.mask},
                    callback=lambda state: tell(state["i"], state["denoised"], state["x"]),
                    disable=True,
                    **theirs.extra_options,
                )
            ended = theirs.sample(
                guider,
                sigmas,
                extra_args,
                lambda index, denoised, x, total: tell(index, denoised, x),
                occasion.noise,
                occasion.start,
                occasion.mask,
                True,
            )
        return ended * (1 - sigmas[-1]) if model.sampling.is_flow else ended


def _has_own_sample(theirs: Any) -> bool:
    return not isinstance(theirs, KSAMPLER) or type(theirs).sample is not KSAMPLER.sample


@contextmanager
def _seeded(x: Tensor, seed: int) -> Iterator[None]:
    """Torch's own generator as it is when the first noise of a seed has been drawn, and afterwards as it was."""
    with torch.random.fork_rng([x.device] if x.device.type == "cuda" else []):
        torch.manual_seed(seed)
        torch.randn(x.shape)
        yield


class OursAsSampler(KSAMPLER):
    """A sampler of ours in foreign hands."""

    def __init__(self, ours: Walker) -> None:
        assert isinstance(ours, Sampler)
        name = next((name for name, one in SAMPLERS.items() if one is ours), None)
        function = function_of(ours, "sampler") if name is None else function_named(name)
        super().__init__(function, {}, {"random": True} if ours.renews_masked_noise else {})
        self.ours = ours
        self._function = function

    @property
    def is_changed(self) -> bool:
        """Whether a pack has put another function or options into it."""
        return self.sampler_function is not self._function or bool(self.extra_options)


def sampler_to_foreign(sampler: Walker) -> Any:
    """A sampler as packs expect it; a pack's own as it was."""
    return sampler.theirs if isinstance(sampler, SamplerOfPack) else OursAsSampler(sampler)


def is_sampler(value: Any) -> bool:
    """Whether a value is a sampler of a pack."""
    return isinstance(value, PackSampler)


def sampler_to_ours(sampler: Any, guided_by: GuidedBy) -> Walker:
    """A sampler for our runs, whichever side it comes from. Raises NotOfferedError for what is none."""
    if isinstance(sampler, OursAsSampler) and not sampler.is_changed and not _has_own_sample(sampler):
        return sampler.ours
    if isinstance(sampler, Sampler | SamplerOfPack):
        return sampler
    if hasattr(sampler, "sampler_function") or hasattr(sampler, "sample"):
        return SamplerOfPack(lambda: sampler, guided_by)
    raise NotOfferedError(f"a {type(sampler).__name__} as a sampler")
