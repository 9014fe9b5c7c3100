"""Functions that packs set on a model, in the forms in which our networks and guidance call such changes."""

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor

from models.sampling.patches import Estimated, EstimatesPatch, FormulaPatch, ResultPatch, Round
from models.unet_patches import Attention, AttentionPatch, Call, FeaturePatch, InputsPatch, JoinPatch, Place
from nodes.v1.conditioning import conditioning_to_foreign

Function = Callable[..., Any]


class Owner(Protocol):
    """The handle that a function is set on, and which it is told of."""

    model_options: dict[str, Any]

    @property
    def model(self) -> Any: ...


def formula(function: Function, owner: Owner) -> FormulaPatch:
    """Guidance by a function that takes and gives noise, x minus the clean estimate."""

    def change(toward: Tensor, away: Tensor, of: Round) -> Tensor:
        told = _told(of, owner) | {
            "cond": of.x - toward,
            "uncond": of.x - away,
            "cond_denoised": toward,
            "uncond_denoised": away,
        }
        return of.x - function(told)

    return change


def before(function: Function, owner: Owner) -> EstimatesPatch:
    """A change to the estimates of the positive and the negative."""

    def change(estimated: Estimated, of: Round) -> Estimated:
        conds = [conditioning_to_foreign(of.positive), conditioning_to_foreign(of.negative or ())]
        found = function(_told(of, owner) | {"conds": conds, "conds_out": [estimated.toward, estimated.away]})
        return Estimated(found[0], found[1] if len(found) > 1 else estimated.away)

    return change


def after(function: Function, owner: Owner) -> ResultPatch:
    """A change to the guided estimate."""

    def change(guided: Tensor, estimated: Estimated, of: Round) -> Tensor:
        told = _told(of, owner) | {
            "denoised": guided,
            "cond": conditioning_to_foreign(of.positive),
            "uncond": conditioning_to_foreign(of.negative or ()),
            "cond_denoised": estimated.toward,
            "uncond_denoised": estimated.toward if estimated.away is None else estimated.away,
        }
        return function(told)

    return change


def _told(of: Round, owner: Owner) -> dict[str, Any]:
    """What every change to guidance is told."""
    sigma = of.sigma.expand(len(of.x))
    return {
        "cond_scale": of.cfg,
        "timestep": sigma,
        "sigma": sigma,
        "input": of.x,
        "model": owner.model,
        "model_options": owner.model_options,
    }


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
    """Where and in which evaluation a change is asked; the rows of prompts other than the positive are marked by 1."""
    return owner.model_options.get("transformer_options", {}) | {
        "block": (place.path, place.number),
        "block_index": place.index,
        "transformer_index": place.index,
        "cond_or_uncond": [int(prompt > 0) for prompt in call.prompts],
        "sigmas": call.sigma.reshape(1),
        "original_shape": list(call.shape),
    }
