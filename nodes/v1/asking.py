"""Asking a model for estimates while it samples, as packs do it: `comfy.samplers.calc_cond_batch` and its like."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from models.sampling.evaluation import Asker
from models.sampling.guidance import ClassifierFree, Unguided, combined, is_one
from models.sampling.patches import Ask, Estimated, ModelPatches, Round
from nodes.v1.apply_model import single_sigma
from nodes.v1.conds import conds_to_ours
from nodes.v1.model_options import ForeignPatches, Options, options_of, own_patches
from nodes.v1.model_parts import BaseModel
from nodes.v1.runtime import NotOfferedError

SIGMAS = "sample_sigmas"
"""Under which name the transformer options of a run tell all of its sigmas."""


def told_options(patches: ModelPatches, sigmas: Tensor | None = None) -> Options:
    """What packs are told in a run as the options of its model, in new containers."""
    options = options_of(patches)
    if sigmas is not None:
        options["transformer_options"][SIGMAS] = sigmas
    return options


def ask_with(model: BaseModel, options: Mapping[str, Any] | None) -> Ask:
    """The model that samples, to be asked with what these options say. Raises NotOfferedError where none samples."""
    ask = model.ask
    if not isinstance(ask, Asker):
        raise NotOfferedError("a model that is not sampling as one to be asked")
    if options is None:
        return ask
    return ask.patched(ForeignPatches.of(own_patches(ask.patches), model.ours, dict(options)))


def calc_cond_batch(
    model: BaseModel,
    conds: Sequence[Sequence[Mapping[str, Any]] | None],
    x_in: Tensor,
    timestep: Tensor,
    model_options: Mapping[str, Any] | None = None,
) -> list[Tensor]:
    """The estimates of the clean latent under several conditionings; zeros for one that is None."""
    ask, sigma = ask_with(model, model_options), single_sigma(timestep)
    asked = [conds_to_ours(cond) for cond in conds if cond]
    found = iter(ask(x_in, sigma, asked) if asked else ())
    return [next(found) if cond else torch.zeros_like(x_in) for cond in conds]


def sampling_function(
    model: BaseModel,
    x: Tensor,
    timestep: Tensor,
    uncond: Sequence[Mapping[str, Any]] | None,
    cond: Sequence[Mapping[str, Any]] | None,
    cond_scale: float,
    model_options: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> Tensor:
    """The estimate of the clean latent by classifier-free guidance, with all that the options change about it."""
    del seed
    ask, sigma = ask_with(model, model_options), single_sigma(timestep)
    toward = conds_to_ours(cond or ())
    if uncond:
        return ClassifierFree(toward, conds_to_ours(uncond), cond_scale).denoised(ask, x, sigma)
    if is_one(cond_scale):
        return Unguided(toward).denoised(ask, x, sigma)
    estimated = Estimated(ask(x, sigma, [toward])[0], torch.zeros_like(x))
    return combined(estimated, Round(ask, x, sigma, toward, None, cond_scale)).denoised


def cfg_function(
    model: BaseModel,
    cond_pred: Tensor,
    uncond_pred: Tensor,
    cond_scale: float,
    x: Tensor,
    timestep: Tensor,
    model_options: Mapping[str, Any] | None = None,
    cond: Sequence[Mapping[str, Any]] | None = None,
    uncond: Sequence[Mapping[str, Any]] | None = None,
) -> Tensor:
    """Two estimates of the clean latent combined by guidance, with what the options change about the result."""
    ask = ask_with(model, model_options)
    assert isinstance(ask, Asker)
    after = replace(ask.patches.guidance, before=())
    ask = ask.patched(replace(ModelPatches(), guidance=after, unet=ask.patches.unet))
    negative = None if uncond is None else conds_to_ours(uncond)
    of = Round(ask, x, single_sigma(timestep), conds_to_ours(cond or ()), negative, cond_scale)
    return combined(Estimated(cond_pred, uncond_pred), of).denoised
