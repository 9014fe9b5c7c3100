"""The evaluation of a model as packs call it, `apply_model`, and a pack's function in its place."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from models.conditioning import Control
from models.sampling.inputs import Evaluate, EvaluationPatch, Inputs
from nodes.v1.facade import Facade
from nodes.v1.model_patches import Owner, told_of_call
from nodes.v1.runtime import NotOfferedError
from nodes.v1.unet_options import added_to, unet_patches_of

TAKEN = frozenset({"c_crossattn", "c_concat", "y", "control", "transformer_options"})
"""What the network is given beside the latent, by the names that packs expect."""


class Controls(Facade):
    """The controls of one evaluation, which packs hand on or leave out."""

    what = "control"
    ours: tuple[Control, ...]


def wrapped(function: Callable[..., Any], owner: Owner) -> EvaluationPatch:
    """The function, called with the model and what it is to be asked, as packs expect."""

    def instead(evaluate: Evaluate, x: Tensor, sigma: Tensor, inputs: Inputs) -> Tensor:
        options = told_of_call(known_options(inputs, owner), sigma, inputs.prompts, inputs.sigmas)

        def apply_model(x: Tensor, t: Tensor, **given: Any) -> Tensor:
            return evaluate(x, single_sigma(t), asked_of_network(given, inputs, len(x), owner))

        asked = {
            "input": x,
            "timestep": sigma.expand(len(x)).to(x.device),
            "c": given_to_network(inputs) | {"transformer_options": options},
            "cond_or_uncond": options["cond_or_uncond"],
        }
        return function(apply_model, asked)

    return instead


def single_sigma(sigma: Tensor) -> Tensor:
    """The one sigma of all rows, a scalar on the CPU. Raises NotOfferedError where there are several."""
    sigma = sigma.flatten().cpu()
    first = sigma[0]
    if bool((sigma != first).any()):
        raise NotOfferedError("different sigmas for the pictures of one call of a model")
    return first


def known_options(inputs: Inputs, owner: Owner) -> Mapping[str, Any]:
    """The transformer options whose patches are among the inputs already."""
    return inputs.extra or owner.options.get("transformer_options", {})


def given_to_network(inputs: Inputs) -> dict[str, Any]:
    """What the network is given beside latent and options, by the names that packs expect."""
    found: dict[str, Any] = {"c_crossattn": inputs.context}
    if inputs.y is not None:
        found["y"] = inputs.y
    if inputs.concat is not None:
        found["c_concat"] = inputs.concat
    if inputs.controls:
        found["control"] = Controls(inputs.controls)
    return found


def asked_of_network(given: Mapping[str, Any], inputs: Inputs, rows: int, owner: Owner) -> Inputs:
    """What a pack gives to the network for so many rows, of which `inputs` were those asked for."""
    unknown = set(given) - TAKEN
    if unknown:
        raise NotOfferedError(f"{min(unknown)!r} as an input of the model")
    options = given.get("transformer_options", {})
    more = unet_patches_of(added_to(options, known_options(inputs, owner)), owner)
    prompts, pictures = divided(options.get("cond_or_uncond"), inputs, rows)
    control, context = given.get("control"), given["c_crossattn"]
    return replace(
        inputs,
        context=context,
        y=given.get("y"),
        concat=given.get("c_concat"),
        controls=control.ours if isinstance(control, Controls) else (),
        control_context=_of_rows(inputs.control_context, rows),
        patches=inputs.patches if more.empty else inputs.patches.plus(more),
        prompts=prompts,
        pictures=pictures,
        extra=options,
    )


def divided(told: Any, inputs: Inputs, rows: int) -> tuple[tuple[int, ...], int]:
    """Which prompts the rows are, and how many pictures of each: as asked for, as the pack says, or all of one."""
    if rows == len(inputs.prompts) * inputs.pictures:
        return inputs.prompts, inputs.pictures
    said = tuple(told or inputs.prompts)
    return (said, rows // len(said)) if rows % len(said) == 0 else (said[:1], rows)


def _of_rows(context: Tensor | None, rows: int) -> Tensor | None:
    if context is not None and len(context) != rows:
        raise NotOfferedError(f"a call for {rows} of the {len(context)} rows where controls are told another text")
    return context
