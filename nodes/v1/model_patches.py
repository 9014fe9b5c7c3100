"""Functions that packs set on a model, in the forms in which our networks and guidance call such changes."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from models.sampling.patches import Ask, Estimated, EstimatesPatch, FormulaPatch, MaskPatch, Moment, ResultPatch, Round
from models.types import Model
from models.unet_patches import Attention, AttentionPatch, Call, FeaturePatch, InputsPatch, JoinPatch, Place
from nodes.v1.conds import Conds
from nodes.v1.model_parts import Around, BaseModel

Function = Callable[..., Any]


PATHS = ("input", "middle", "output")
TRANSFORMER = re.compile(r"(input|middle|output)_blocks?\.(?:(\d+)\.)?\d+\.transformer_blocks\.")
"""How the names of weights begin that are in transformers, with path and number of their block."""


@dataclass(eq=False)
class Telling:
    """What the changes of the evaluation that goes on are told: all of them, and those of one place."""

    call: Call | None = None
    place: Place | None = None
    common: dict[str, Any] = field(default_factory=dict[str, Any])
    options: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, eq=False)
class Owner:
    """The model that functions are set on, and the options that they are told."""

    model: Model
    options: dict[str, Any]
    now: Telling = field(default_factory=Telling)

    @cached_property
    def layers(self) -> Mapping[tuple[str, int], int]:
        """The blocks with transformers, numbered in the order in which they are computed."""
        found = {
            (match[1], int(match[2] or 0)) for name in self.model.unet.shapes if (match := TRANSFORMER.match(name))
        }
        ordered = sorted(found, key=lambda block: (PATHS.index(block[0]), block[1]))
        return {block: number for number, block in enumerate(ordered)}

    def inside(self, ask: Ask | None = None) -> BaseModel:
        """What a function is told as the model; it can be asked while the model samples."""
        return BaseModel(self.model, ask)


def formula(function: Function, owner: Owner) -> FormulaPatch:
    """Guidance by a function that takes and gives noise, x minus the clean estimate.

    One of three parameters is of an old form: (cond, uncond, cfg).
    """
    is_old = len(inspect.signature(function).parameters) == 3

    def change(toward: Tensor, away: Tensor, of: Round) -> Tensor:
        if is_old:
            return of.x - function(of.x - toward, of.x - away, of.cfg)
        told = _told(of, owner) | {
            "cond": of.x - toward,
            "uncond": of.x - away,
            "cond_denoised": toward,
            "uncond_denoised": away,
            "input_cond": Conds(of.positive),
            "input_uncond": Conds(of.negative or ()),
        }
        return of.x - function(told)

    return change


def before(function: Function, owner: Owner) -> EstimatesPatch:
    """A change to the estimates of the positive and the negative, which is zeros where it is not evaluated."""

    def change(estimated: Estimated, of: Round) -> Estimated:
        toward, away = estimated.toward, estimated.away
        conds = [Conds(of.positive), None if of.negative is None else Conds(of.negative)]
        estimates = [toward, torch.zeros_like(toward) if away is None else away]
        found = function(_told(of, owner) | {"conds": conds, "conds_out": estimates})
        return Estimated(found[0], away if away is None or len(found) < 2 else found[1])

    return change


def after(function: Function, owner: Owner) -> ResultPatch:
    """A change to the guided estimate."""

    def change(guided: Tensor, estimated: Estimated, of: Round) -> Tensor:
        told = _told(of, owner) | {
            "denoised": guided,
            "cond": Conds(of.positive),
            "uncond": None if of.negative is None else Conds(of.negative),
            "cond_denoised": estimated.toward,
            "uncond_denoised": estimated.toward if estimated.away is None else estimated.away,
        }
        return function(told)

    return change


def _told(of: Round, owner: Owner) -> dict[str, Any]:
    """What every change to guidance is told."""
    sigma = of.sigma.expand(len(of.x)).to(of.x.device)
    return {
        "cond_scale": of.cfg,
        "timestep": sigma,
        "sigma": sigma,
        "input": of.x,
        "model": owner.inside(of.ask),
        "model_options": owner.options,
    }


def mask(function: Function, owner: Owner) -> MaskPatch:
    """A change to the noise mask (b 1 h w) at each sigma of a run."""

    def change(denoise_mask: Tensor, moment: Moment) -> Tensor:
        sigma, sigmas = (one.to(denoise_mask.device) for one in (moment.sigma, moment.sigmas))
        told = {"model": Around(owner.inside(), owner.options), "sigmas": sigmas}
        return function(sigma.expand(len(denoise_mask)), denoise_mask, extra_options=told)

    return change


def features(function: Function, owner: Owner) -> FeaturePatch:
    """A change to features, of a block or of a transformer."""

    def change(x: Tensor, place: Place, call: Call) -> Tensor:
        return function(x, _options(place, call, owner))

    return change


def joined(function: Function, owner: Owner) -> JoinPatch:
    """A change to the two that an output block joins."""

    def change(x: Tensor, skip: Tensor, place: Place, call: Call) -> tuple[Tensor, Tensor]:
        x, skip = function(x, skip, _options(place, call, owner))
        return x, skip

    return change


def attention_inputs(function: Function, owner: Owner) -> InputsPatch:
    """A change to what goes into an attention layer."""

    def change(x: Tensor, key: Tensor, value: Tensor, place: Place, call: Call) -> tuple[Tensor, Tensor, Tensor]:
        x, key, value = function(x, key, value, _options(place, call, owner))
        return x, key, value

    return change


def attention(function: Function, owner: Owner) -> AttentionPatch:
    """A function that attends in a layer's place; the layer's projections go before and after it."""

    def attend(layer: Attention, x: Tensor, key: Tensor, value: Tensor, place: Place, call: Call) -> Tensor:
        q, k, v = layer.to_q(x), layer.to_k(key), layer.to_v(value)
        options = _options(place, call, owner) | {"n_heads": layer.heads, "dim_head": q.shape[-1] // layer.heads}
        return layer.to_out(function(q, k, v, options))

    return attend


def _options(place: Place, call: Call, owner: Owner) -> dict[str, Any]:
    """Where and in which evaluation a change is asked. All changes of one place get the same dictionary, and all of
    one evaluation the same lists: by them the first of a pair of patches tells the second what it has done."""
    now = owner.now
    if now.call is not call:
        plain = told_of_call(owner.options.get("transformer_options", {}), call.sigma, call.prompts, call.sigmas)
        now.call, now.place, now.common = call, None, plain | {**call.extra, "original_shape": list(call.shape)}
    if now.place != place:
        now.place = place
        now.options = now.common | {
            "block": (place.path, place.number),
            "block_index": place.index,
            "transformer_index": owner.layers.get((place.path, place.number), 0),
        }
    return now.options


def told_of_call(
    options: Mapping[str, Any], sigma: Tensor, prompts: Sequence[int], sigmas: Tensor | None
) -> dict[str, Any]:
    """Transformer options with which evaluation it is; the rows of prompts other than the positive are marked by 1."""
    return dict(options) | {
        "cond_or_uncond": [int(prompt > 0) for prompt in prompts],
        "sigmas": sigma.reshape(1),
        **({} if sigmas is None else {"sample_sigmas": sigmas}),
    }
