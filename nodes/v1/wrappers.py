"""Wrappers that packs put around what a model does, by the place: around an evaluation, or around the network in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any

from torch import Tensor

from models.sampling.inputs import Evaluate, EvaluationPatch, Inputs
from models.unet_patches import Call, Hooks, Residuals
from nodes.v1.apply_model import asked_of_network, divided, given_to_network, known_options, single_sigma
from nodes.v1.facade import Facade
from nodes.v1.model_patches import Owner, told_of_call
from nodes.v1.runtime import NotOfferedError
from nodes.v1.unet_options import added_to, unet_patches_of
from nodes.v1.wrapper_options import WrapperExecutor, WrappersMP, offered

Function = Callable[..., Any]


class ControlOutputs(Facade):
    """What controls add inside the network, which packs hand on or leave out."""

    what = "control"
    ours: Residuals


def wrapped_by_type(options: Mapping[str, Any], owner: Owner) -> list[EvaluationPatch]:
    """What wrappers inside a run do that are written in model options, the outermost first. Raises NotOfferedError."""
    wrappers = options.get("transformer_options", {}).get("wrappers", {})
    found = {
        offered(kind): [function for functions in by_key.values() for function in functions]
        for kind, by_key in wrappers.items()
        if any(by_key.values())
    }
    return [make(found[kind], owner) for kind, make in KINDS.items() if kind in found]


def as_one(patches: Sequence[EvaluationPatch]) -> EvaluationPatch | None:
    """The patches as one, each around those after it."""
    return reduce(_around, patches) if patches else None


def _around(outer: EvaluationPatch, inner: EvaluationPatch) -> EvaluationPatch:
    return lambda evaluate, x, sigma, inputs: outer(partial(inner, evaluate), x, sigma, inputs)


def _around_evaluation(functions: Sequence[Function], owner: Owner) -> EvaluationPatch:
    """Functions around the estimate of the clean latent."""

    def instead(evaluate: Evaluate, x: Tensor, sigma: Tensor, inputs: Inputs) -> Tensor:
        def apply_model(
            x: Tensor,
            t: Tensor,
            c_concat: Tensor | None = None,
            c_crossattn: Tensor | None = None,
            control: Any = None,
            transformer_options: Mapping[str, Any] | None = None,
            **others: Any,
        ) -> Tensor:
            asked = {"c_concat": c_concat, "c_crossattn": c_crossattn, "control": control, **others}
            asked["transformer_options"] = transformer_options or {}
            return evaluate(x, single_sigma(t), asked_of_network(asked, inputs, len(x), owner))

        given = given_to_network(inputs)
        named = [given.pop(name, None) for name in ("c_concat", "c_crossattn", "control")]
        options = told_of_call(known_options(inputs, owner), sigma, inputs.prompts, inputs.sigmas)
        executor = WrapperExecutor(apply_model, owner.inside(), functions)
        return executor.execute(x, sigma.expand(len(x)).to(x.device), *named, options, **given)

    return instead


def _around_network(functions: Sequence[Function], owner: Owner) -> EvaluationPatch:
    """Functions around the network itself, which takes scaled latents and gives what it predicts."""

    def instead(evaluate: Evaluate, x: Tensor, sigma: Tensor, inputs: Inputs) -> Tensor:
        known = known_options(inputs, owner)

        def call(
            network: Function,
            x: Tensor,
            timesteps: Tensor,
            context: Tensor,
            y: Tensor | None = None,
            hooks: Hooks | None = None,
        ) -> Tensor:
            def forward(
                x: Tensor,
                timesteps: Tensor,
                context: Tensor,
                y: Tensor | None = None,
                control: Any = None,
                transformer_options: Mapping[str, Any] | None = None,
                **others: Any,
            ) -> Tensor:
                if others:
                    raise NotOfferedError(f"{min(others)!r} as an input of the model")
                options = transformer_options or {}
                patches = inputs.patches.plus(unet_patches_of(added_to(options, known), owner))
                rows = divided(options.get("cond_or_uncond"), inputs, len(x))
                told = Call(sigma, *rows, tuple(x.shape), inputs.sigmas, options)
                changed = Hooks(told, patches, _residuals(control))
                return network(x, timesteps, context=context, hooks=changed, **({} if y is None else {"y": y}))

            control = None if hooks is None or not inputs.controls else ControlOutputs(hooks.residuals)
            options = told_of_call(known, sigma, inputs.prompts, inputs.sigmas)
            executor = WrapperExecutor(forward, owner.inside().diffusion_model, functions)
            return executor.execute(x, timesteps, context, y, control, options)

        return evaluate(x, sigma, replace(inputs, around=call))

    return instead


def _residuals(control: Any) -> Residuals:
    if control is None:
        return Residuals()
    if not isinstance(control, ControlOutputs):
        raise NotOfferedError(f"a {type(control).__name__} as the outputs of controls")
    return control.ours


KINDS: Mapping[str, Callable[[Sequence[Function], Owner], EvaluationPatch]] = {
    WrappersMP.APPLY_MODEL: _around_evaluation,
    WrappersMP.DIFFUSION_MODEL: _around_network,
}
"""The places inside a run that can be wrapped, the outermost first."""
