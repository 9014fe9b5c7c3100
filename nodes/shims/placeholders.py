"""Modules of ComfyUI's inside that many packs import at their top and few of their nodes use.

They can be imported, so that the other nodes work; whoever asks one of them for something is refused by name.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from nodes.shims.absent import missing
from nodes.shims.exports import answer_missing, module
from nodes.shims.extra_classes import HELPERS

INSIDES = (
    "comfy.cldm", "comfy.controlnet", "comfy.diffusers_convert",
    "comfy.diffusers_load", "comfy.float", "comfy.gligen", "comfy.hooks", "comfy.k_diffusion",
    "comfy.latent_formats", "comfy.ldm", "comfy.ldm.common_dit", "comfy.ldm.flux",
    "comfy.ldm.flux.layers", "comfy.ldm.flux.math", "comfy.ldm.flux.model", "comfy.ldm.models",
    "comfy.ldm.models.autoencoder", "comfy.ldm.modules", "comfy.ldm.modules.diffusionmodules",
    "comfy.ldm.modules.diffusionmodules.openaimodel", "comfy.ldm.modules.diffusionmodules.util", "comfy.ldm.util",
    "comfy.ldm.wan", "comfy.ldm.wan.model",
    "comfy.model_detection", "comfy.ops",
    "comfy.options", "comfy.sd1_clip", "comfy.sdxl_clip",
    "comfy.supported_models", "comfy.supported_models_base", "comfy.t2i_adapter", "comfy.taesd", "comfy.taesd.taesd",
    "comfy.text_encoders", "comfy.weight_adapter", "comfy_extras", "comfy_extras.chainner_models",
    "comfy_extras.chainner_models.model_loading",
)  # fmt: skip
EXTRAS = (
    "nodes_align_your_steps", "nodes_attention_multiply", "nodes_canny", "nodes_clip_sdxl", "nodes_compositing",
    "nodes_cond", "nodes_controlnet", "nodes_custom_sampler", "nodes_differential_diffusion", "nodes_flux",
    "nodes_freelunch", "nodes_gits", "nodes_hypernetwork", "nodes_hypertile", "nodes_images", "nodes_ip2p",
    "nodes_latent", "nodes_lora_extract", "nodes_mask", "nodes_model_advanced", "nodes_model_downscale",
    "nodes_model_merging", "nodes_morphology", "nodes_pag", "nodes_perpneg", "nodes_post_processing", "nodes_primitive",
    "nodes_rebatch", "nodes_sag", "nodes_sdupscale", "nodes_slg", "nodes_string", "nodes_tomesd", "nodes_tcfg",
    "nodes_upscale_model", "nodes_webcam",
)  # fmt: skip
"""Modules of which packs take classes of nodes; ours by the same id take their place."""


def placeholders(classes: Mapping[str, Any]) -> dict[str, ModuleType]:
    """The modules by name, parents before their members; `classes` are all nodes by id."""
    made = {name: module(name, {}) for name in INSIDES}
    for extra in EXTRAS:
        name = f"comfy_extras.{extra}"
        made[name] = _extra(name, classes)
    return made


def _extra(name: str, classes: Mapping[str, Any]) -> ModuleType:
    made = module(name, HELPERS.get(name, {}))
    answer_missing(made, lambda id: classes[id] if id in classes else missing(name, id))
    return made
