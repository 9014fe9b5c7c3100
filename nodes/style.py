"""Nodes that take the style of a picture as a prompt."""

from dataclasses import replace
from typing import Annotated, Literal

import torch
from torch import Tensor

from models.adapters.style import StyleModel
from models.conditioning import Cond
from models.loading.adapters import load_style_model
from models.types import Residence
from models.vision import Seen
from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.library import library_of, reporter
from nodes.sockets import CLIP_VISION_OUTPUT, CONDITIONING, STYLE_MODEL
from nodes.spec import FileChoice, Help, Number, node


def _fingerprint(style_model_name: str, context: Context) -> str:
    return fingerprint_of(context.paths.model_file("style_models", style_model_name))


@node("StyleModelLoader", name="Load Style Model", category="model/loaders", fingerprint=_fingerprint)
def style_model_loader(style_model_name: Annotated[str, FileChoice("style_models")], context: Context) -> STYLE_MODEL:
    """Loads T2I-Adapter's style model for Stable Diffusion 1.x."""
    path, report = context.paths.model_file("style_models", style_model_name), reporter(context)
    return library_of(context).other("style", path, lambda policy: load_style_model(path, policy, report))


@node("StyleModelApply", name="Apply Style Model", category="model/conditioning")
def style_model_apply(
    *,
    conditioning: CONDITIONING,
    style_model: STYLE_MODEL,
    clip_vision_output: CLIP_VISION_OUTPUT,
    strength: Annotated[float, Number(0.0, 10.0, step=0.001), Help(late=True)] = 1.0,
    strength_type: Annotated[
        Literal["multiply", "attn_bias"], Help("attn_bias is for Flux; here it takes a strength of 1 only", late=True)
    ] = "multiply",
) -> CONDITIONING:
    """Appends the style of a picture, as a few tokens, to each prompt."""
    if strength_type == "attn_bias" and strength != 1:
        raise ValueError(
            f"strength_type attn_bias with a strength of {strength:g} needs a Flux model: choose multiply, or 1"
        )
    with torch.no_grad():
        style = style_tokens(style_model, clip_vision_output).flatten(0, 1)[None] * strength
    return tuple(_with_style(cond, style) for cond in conditioning)


def style_tokens(style_model: Residence[StyleModel], seen: Seen) -> Tensor:
    """The style of pictures as tokens of a prompt (b, n, width). Raises ValueError for the view of another encoder."""
    tokens = seen.last_hidden_state
    with style_model.on_device() as network:
        if tokens.shape[-1] != network.config.width:
            raise ValueError(
                f"the picture was encoded {tokens.shape[-1]} wide, the style model reads "
                f"{network.config.width}: encode it with CLIP ViT-L"
            )
        return network(tokens.to(style_model.device, style_model.dtype)).float().cpu()


def _with_style(cond: Cond, style: Tensor) -> Cond:
    if cond.context.shape[2] != style.shape[2]:
        raise ValueError(
            f"the prompt's features are {cond.context.shape[2]} wide, the style model makes {style.shape[2]}: "
            "style models are for Stable Diffusion 1.x"
        )
    return replace(cond, context=torch.cat([cond.context, style.to(cond.context)], dim=1))
