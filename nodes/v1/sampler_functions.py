"""Our samplers as functions in k-diffusion's form, (model, x, sigmas, extra_args, callback, disable, …) → x."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor

from models.sampling.denoiser import Estimates
from models.sampling.model_sampling import ModelSampling
from models.sampling.samplers.table import SAMPLERS, Sampler
from nodes.v1.model_options import set_model_options_post_cfg_function
from nodes.v1.model_sampling import sampling_to_ours
from nodes.v1.runtime import NotOfferedError

Function = Callable[..., Any]


@dataclass(frozen=True)
class DenoiserOfPack:
    """A model as a pack calls a sampler with it, for our walks."""

    model: Callable[..., Tensor]
    extra_args: Mapping[str, Any]

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.model(x, sigma * x.new_ones([len(x)]), **self.extra_args)

    def both(self, x: Tensor, sigma: Tensor) -> Estimates:
        found: list[Tensor] = []

        def note(told: Mapping[str, Any]) -> Tensor:
            found.append(told["uncond_denoised"])
            return told["denoised"]

        options = set_model_options_post_cfg_function(
            dict(self.extra_args.get("model_options") or {}), note, disable_cfg1_optimization=True
        )
        denoised = self.model(x, sigma * x.new_ones([len(x)]), **{**self.extra_args, "model_options": options})
        if not found:
            raise NotOfferedError("a CFG++ sampler with a model that tells no unguided estimate")
        return Estimates(denoised, found[-1])


CHURN = {"s_churn": 0.0, "s_tmin": 0.0, "s_tmax": float("inf"), "s_noise": 1.0}
"""Options of k-diffusion's deterministic samplers for noise that Weft's add none of, as they are without it."""

UNLISTED = frozenset({"dpm_fast", "dpm_adaptive", "uni_pc", "uni_pc_bh2", "ddim"})
"""Samplers that are no functions of this form to packs."""


def function_of(sampler: Sampler, name: str) -> Function:
    """A sampler of ours as a function in k-diffusion's form."""

    def sample(
        model: Callable[..., Tensor],
        x: Tensor,
        sigmas: Tensor,
        extra_args: Mapping[str, Any] | None = None,
        callback: Callable[[dict[str, Any]], Any] | None = None,
        disable: bool | None = None,
        noise_sampler: Callable[[Tensor, Tensor], Tensor] | None = None,
        **options: Any,
    ) -> Tensor:
        given = extra_args or {}
        walk = _with_options(sampler, name, options)
        if noise_sampler is not None and sampler.noise is not None:
            walk = replace(walk, noise=lambda x, sigmas, seed: noise_sampler)
        seed = given.get("seed")
        seed = int(torch.randint(2**63 - 1, ())) if seed is None else seed
        states = walk(DenoiserOfPack(model, given), x, sigmas.cpu(), seed, _sampling_of(model))
        for index, state in enumerate(states):
            if callback is not None:
                sigma = sigmas[min(index, len(sigmas) - 1)]
                callback({"x": x, "i": index, "sigma": sigma, "sigma_hat": sigma, "denoised": state.denoised})
            x = state.x
        return x

    sample.__name__ = sample.__qualname__ = f"sample_{name}"
    return sample


def _with_options(sampler: Sampler, name: str, options: Mapping[str, Any]) -> Sampler:
    known = inspect.signature(sampler.walk).parameters
    kept: dict[str, Any] = {}
    for option, value in options.items():
        if option in known:
            kept[option] = value
        elif value is not None and CHURN.get(option) != value and (option != "s_noise" or options.get("s_churn")):
            raise NotOfferedError(f"the option {option}={value!r} of comfy.k_diffusion.sampling.sample_{name}")
    return sampler.with_options(**kept) if kept else sampler


def _sampling_of(model: Any) -> ModelSampling | None:
    """How the predictions of a model are read; None for one that does not say."""
    inner = getattr(getattr(model, "inner_model", None), "inner_model", None)
    sampling = getattr(inner, "model_sampling", None)
    return None if sampling is None else sampling_to_ours(sampling)


@cache
def function_named(name: str) -> Function:
    """The function of one of our samplers; the same each time, as packs compare them."""
    return function_of(SAMPLERS[name], name)
