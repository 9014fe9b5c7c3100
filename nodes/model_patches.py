"""Nodes that change what a model's UNet computes, or how it is asked. The model that comes in stays as it was."""

from dataclasses import replace
from typing import Annotated

from models.patches.downscale import Downscale, UpscaleToSkip
from models.patches.freeu import FreeU, Stage
from models.patches.hypertile import HyperTile
from models.patches.perturbed_attention import PerturbedAttention
from models.patches.self_attention_guidance import SelfAttention
from models.patches.token_merging import TokenMerging
from models.resize import ResizeMethod
from models.sampling.patches import GuidancePatches, ModelPatches
from models.types import Model
from models.unet import UNetConfig
from models.unet_patches import UNetPatches
from nodes.sockets import MODEL
from nodes.spec import Choice, Help, Number, node

Strength = Annotated[float, Number(0.0, 10.0, step=0.01), Help(advanced=True)]
Percent = Annotated[float, Number(0.0, 1.0, step=0.001), Help(advanced=True)]
Resizing = Annotated[ResizeMethod, Choice(("bicubic", "nearest-exact", "bilinear", "area", "bislerp"))]


def patched(model: Model, guidance: GuidancePatches | None = None, unet: UNetPatches | None = None) -> Model:
    """The model with these changes after those that it has."""
    added = ModelPatches(guidance or GuidancePatches(), unet or UNetPatches())
    return replace(model, patches=model.patches.plus(added))


def config_of(model: Model) -> UNetConfig:
    """What the model's UNet is made of."""
    with model.unet.on_device() as unet:
        return unet.config


@node("FreeU", category="model/patch/unet")
def freeu(
    model: MODEL,
    b1: Strength = 1.1,
    b2: Strength = 1.2,
    s1: Strength = 0.9,
    s2: Strength = 0.2,
) -> MODEL:
    """Strengthens the UNet's backbone (b) and dampens coarse structure in its skip connections (s)."""
    return _freeu(model, b1, b2, s1, s2, adaptive=False)


@node("FreeU_V2", category="model/patch/unet")
def freeu_v2(
    model: MODEL,
    b1: Strength = 1.3,
    b2: Strength = 1.4,
    s1: Strength = 0.9,
    s2: Strength = 0.2,
) -> MODEL:
    """FreeU whose strengthening follows the features, pixel by pixel."""
    return _freeu(model, b1, b2, s1, s2, adaptive=True)


def _freeu(model: Model, b1: float, b2: float, s1: float, s2: float, adaptive: bool) -> Model:
    width = config_of(model).model_channels
    stages = Stage(width * 4, b1, s1), Stage(width * 2, b2, s2)
    return patched(model, unet=UNetPatches(before_output=(FreeU(stages, adaptive),)))


@node("PerturbedAttentionGuidance", category="model/patch/unet")
def perturbed_attention_guidance(
    model: MODEL, scale: Annotated[float, Number(0.0, 100.0, step=0.01, round=0.01)] = 3.0
) -> MODEL:
    """Guides away from what the model would draw if its middle attended to nothing. Costs one evaluation a step."""
    method = PerturbedAttention(scale, config_of(model).middle_depth)
    return patched(model, GuidancePatches(after=(method,)))


@node("SelfAttentionGuidance", name="Self-Attention Guidance", category="experimental", experimental=True)
def self_attention_guidance(
    model: MODEL,
    scale: Annotated[float, Number(-2.0, 5.0, step=0.01)] = 0.5,
    blur_sigma: Annotated[float, Number(0.0, 10.0, step=0.1), Help(advanced=True)] = 2.0,
) -> MODEL:
    """Guides away from a picture blurred where the model looks. Costs one evaluation a step, and the negative's."""
    method = SelfAttention(scale, blur_sigma)
    return patched(model, GuidancePatches(after=(method,), need_negative=True), method.watching())


@node("HyperTile", category="model/patch/unet")
def hypertile(
    model: MODEL,
    tile_size: Annotated[int, Number(1, 2048), Help(advanced=True)] = 256,
    swap_size: Annotated[int, Number(1, 128), Help(advanced=True)] = 2,
    max_depth: Annotated[int, Number(0, 10), Help(advanced=True)] = 0,
    scale_depth: Annotated[bool, Help(advanced=True)] = False,
) -> MODEL:
    """Cuts self-attention into tiles, each of which looks at a part of the picture: faster at large sizes."""
    return patched(model, unet=HyperTile(tile_size, swap_size, max_depth, scale_depth).patches())


@node("TomePatchModel", name="Token Merging", category="model/patch/unet")
def tome_patch_model(model: MODEL, ratio: Annotated[float, Number(0.0, 1.0, step=0.01)] = 0.3) -> MODEL:
    """Merges the tokens that are most alike before self-attention, which is faster and loses a little detail."""
    return patched(model, unet=TokenMerging(ratio).patches())


@node("PatchModelAddDownscale", name="Deep Shrink", category="model/patch/unet")
def patch_model_add_downscale(
    *,
    model: MODEL,
    block_number: Annotated[int, Number(1, 32), Help(advanced=True)] = 3,
    downscale_factor: Annotated[float, Number(0.1, 9.0, step=0.001)] = 2.0,
    start_percent: Percent = 0.0,
    end_percent: Percent = 0.35,
    downscale_after_skip: Annotated[bool, Help("Keep the skip connection at full size", advanced=True)] = True,
    downscale_method: Resizing,
    upscale_method: Resizing,
) -> MODEL:
    """Has the UNet work on fewer pixels while noise is high, so that large pictures keep one composition."""
    levels = model.sampling.levels
    first, last = levels.sigma_at_percent(start_percent), levels.sigma_at_percent(end_percent)
    shrink = (Downscale(block_number, downscale_factor, first, last, downscale_method),)
    grow = (UpscaleToSkip(upscale_method),)
    if downscale_after_skip:
        return patched(model, unet=UNetPatches(after_skip=shrink, before_output=grow))
    return patched(model, unet=UNetPatches(after_input=shrink, before_output=grow))
