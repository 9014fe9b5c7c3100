"""Nodes that steer a model by hint pictures: ControlNets, control-LoRAs and T2I-Adapters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, NamedTuple

from models.conditioning import Cond, Conditioning, Control
from models.controls import ControlNetModel, Hint
from models.loading.adapters import load_control
from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.library import library_of, policy_of, reporter
from nodes.sockets import CONDITIONING, CONTROL_NET, IMAGE, MODEL, VAE
from nodes.spec import Choice, FileChoice, Help, Number, node

FileName = Annotated[str, FileChoice("controlnet")]
Strength = Annotated[float, Number(0.0, 10.0, step=0.01), Help("0 leaves the prompts as they are")]
StartPercent = Annotated[float, Number(0.0, 1.0, step=0.001), Help("where in the schedule it begins to count")]
EndPercent = Annotated[float, Number(0.0, 1.0, step=0.001), Help("where in the schedule it ceases to count")]

UNION_TYPES = (
    "openpose", "depth", "hed/pidi/scribble/ted", "canny/lineart/anime_lineart/mlsd", "normal", "segment", "tile",
    "repaint",
)  # fmt: skip
"""What the hints of union ControlNets may be, by their numbers."""

AUTO = "auto"


class Both(NamedTuple):
    """The conditionings that guide toward and away."""

    positive: CONDITIONING
    negative: CONDITIONING


def _fingerprint(control_net_name: str, context: Context, model: None = None) -> str:
    return fingerprint_of(context.paths.model_file("controlnet", control_net_name))


@node("ControlNetLoader", name="Load ControlNet Model", category="model/loaders", fingerprint=_fingerprint)
def control_net_loader(control_net_name: FileName, context: Context) -> CONTROL_NET:
    """Loads a ControlNet, a control-LoRA or a T2I-Adapter."""
    path = context.paths.model_file("controlnet", control_net_name)
    report = reporter(context)
    return library_of(context).other("control", path, lambda policy: load_control(path, policy, report=report))


@node("DiffControlNetLoader", name="Load ControlNet Model (diff)", category="model/loaders", fingerprint=_fingerprint)
def diff_control_net_loader(model: MODEL, control_net_name: FileName, context: Context) -> CONTROL_NET:
    """Loads a ControlNet whose file may hold only the differences to the model it was made for."""
    path = context.paths.model_file("controlnet", control_net_name)
    return load_control(path, policy_of(context), model, reporter(context))


@node("SetUnionControlNetType", name="Set Union ControlNet Type", category="model/conditioning/controlnet")
def set_union_control_net_type(
    control_net: CONTROL_NET, type: Annotated[str, Choice((AUTO, *UNION_TYPES))]
) -> CONTROL_NET:
    """Tells a union ControlNet what its hint picture is; "auto" leaves it open."""
    number = None if type == AUTO else UNION_TYPES.index(type)
    if isinstance(control_net, ControlNetModel) and control_net.union:
        return replace(control_net, type=number)
    if number is None:
        return control_net
    raise ValueError(f"the ControlNet is none for several types of hints, so it cannot be set to {type!r}: use 'auto'")


@node(
    "ControlNetApply", name="Apply ControlNet (DEPRECATED)", category="model/conditioning/controlnet", deprecated=True
)
def control_net_apply(
    conditioning: CONDITIONING, control_net: CONTROL_NET, image: IMAGE, strength: Strength = 1.0
) -> CONDITIONING:
    """Steers by a hint picture, over the whole schedule, the negative prompt as the positive one."""
    if strength == 0:
        return conditioning
    control = control_net.given(Hint(image, strength))
    return tuple(_steered(cond, control, shared=True) for cond in conditioning)


@node(
    "ControlNetApplyAdvanced",
    name="Apply ControlNet",
    category="model/conditioning/controlnet",
    outputs=("positive", "negative"),
)
def control_net_apply_advanced(
    *,
    positive: CONDITIONING,
    negative: CONDITIONING,
    control_net: CONTROL_NET,
    image: IMAGE,
    strength: Strength = 1.0,
    start_percent: StartPercent = 0.0,
    end_percent: EndPercent = 1.0,
    vae: VAE | None = None,
) -> Both:
    """Steers by a hint picture, during a part of the schedule.

    The autoencoder is for ControlNets that read latents; those of Stable Diffusion read the picture itself.
    """
    del vae
    if strength == 0:
        return Both(positive, negative)
    control = control_net.given(Hint(image, strength, start_percent, end_percent))
    return Both(*_both_steered((positive, negative), control))


@node(
    "ControlNetApplySD3",
    name="Apply Controlnet with VAE",
    category="model/conditioning/controlnet",
    outputs=("positive", "negative"),
    deprecated=True,
)
def control_net_apply_sd3(
    *,
    positive: CONDITIONING,
    negative: CONDITIONING,
    control_net: CONTROL_NET,
    vae: VAE,
    image: IMAGE,
    strength: Strength = 1.0,
    start_percent: StartPercent = 0.0,
    end_percent: EndPercent = 1.0,
) -> Both:
    """Steers by a hint picture, during a part of the schedule; the same as Apply ControlNet."""
    return control_net_apply_advanced(
        positive=positive,
        negative=negative,
        control_net=control_net,
        image=image,
        strength=strength,
        start_percent=start_percent,
        end_percent=end_percent,
        vae=vae,
    )


def _both_steered(conditionings: Sequence[Conditioning], control: Control) -> list[Conditioning]:
    return [tuple(_steered(cond, control, shared=False) for cond in conditioning) for conditioning in conditionings]


def _steered(cond: Cond, control: Control, shared: bool) -> Cond:
    """The prompt with one more control; whether the negative shares them is the last one's to say."""
    return replace(cond, controls=(*cond.controls, control), controls_shared=shared)
