"""Classes of ComfyUI's that Weft has not. Packs name them at their top, in annotations and in questions of kind, far
more often than they make one: they can be imported, derived from and asked about. Making one is refused, and so is
asking for what it has.
"""

from abc import ABCMeta
from collections.abc import Callable, Mapping
from typing import Any

from models.controls import ControlLoraModel, ControlNetModel, T2IModel
from models.loading.families import PLAYGROUND_LATENT, SD_LATENT, SDXL_LATENT
from models.memory import Resident
from models.types import Clip, LatentFormat, Model, Vae
from models.vectors import AestheticVector, SizesVector
from nodes.v1.facade import Facade
from nodes.v1.network import Module
from nodes.v1.runtime import NotOfferedError


class AbsentClass(ABCMeta):
    """The kind of such classes. A handle of ours is an instance of the one whose part it plays; nothing else is."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        raise NotOfferedError(_named(cls))

    def __getattr__(cls, name: str) -> Any:
        raise NotOfferedError(f"{_named(cls)}.{name}")

    def __instancecheck__(cls, instance: Any) -> bool:
        plays = PLAYED.get(cls.__dict__.get(MARK, ""))
        return plays is not None and isinstance(instance, Facade) and plays(instance)


def _named(node_class: type) -> str:
    """Module and name of the first of a class's bases that is ComfyUI's; a pack's own may come before it."""
    return next(one.__dict__[MARK] for one in node_class.__mro__ if MARK in one.__dict__)


MARK = "_weft_absent"
"""The attribute that holds which class of ComfyUI's it is."""


WITH_CLASSES_IN_CAPITALS = frozenset(
    {"comfy.latent_formats", "comfy.model_base", "comfy.model_sampling", "comfy.supported_models"}
)
"""Modules that name classes after families of models; elsewhere a name in capitals is a constant."""


def absent_class(module: str, name: str) -> type:
    """The class of this name of a module."""
    return AbsentClass(name, (), {"__module__": module, MARK: f"{module}.{name}"})


def missing(module: str, name: str) -> type:
    """What a module of ComfyUI's answers when it is asked for a name that it has not here: a class for a name that is
    written like one. Raises NotOfferedError, and AttributeError for names of Python's own."""
    if name.startswith("__"):
        raise AttributeError(name)
    if _is_class(module, name):
        return absent_class(module, name)
    raise NotOfferedError(f"{module}.{name}")


def _is_class(module: str, name: str) -> bool:
    if name.isupper():
        return module in WITH_CLASSES_IN_CAPITALS or f"{module}.{name}" in PLAYED
    return name[:1].isupper()


def _handle(what: str, of: type) -> Callable[[Facade], bool]:
    return lambda handle: handle.what == what and isinstance(handle.ours, of)


def _encoders(count: int, role: str = "") -> Callable[[Facade], bool]:
    """A text encoder's inside, of so many encoders, the first of them of this role."""

    def plays(handle: Facade) -> bool:
        if handle.what != "clip.cond_stage_model" or not isinstance(handle.ours, Clip):
            return False
        return len(handle.ours.uses) == count and handle.ours.uses[0].role.startswith(role)

    return plays


def _network(vector: type | None = None) -> Callable[[Facade], bool]:
    """A model's inside, of the family that is told such a vector."""

    def plays(handle: Facade) -> bool:
        is_inside = handle.what == "model.model" and isinstance(handle.ours, Model)
        return is_inside and (vector is None or isinstance(handle.ours.vector, vector))

    return plays


def _is_whole_network(handle: Facade) -> bool:
    return isinstance(handle, Module) and handle.is_whole


def _scale(*formats: LatentFormat) -> Callable[[Facade], bool]:
    return lambda handle: handle.ours in formats if isinstance(handle.ours, LatentFormat) else False


PLAYED: Mapping[str, Callable[[Facade], bool]] = {
    "comfy.model_patcher.ModelPatcher": _handle("MODEL", Model),
    "comfy.clip_vision.ClipVisionModel": _handle("CLIP_VISION", Resident),
    "comfy.controlnet.ControlBase": _handle("CONTROL_NET", object),
    "comfy.controlnet.ControlNet": _handle("CONTROL_NET", ControlNetModel),
    "comfy.controlnet.ControlLora": _handle("CONTROL_NET", ControlLoraModel),
    "comfy.controlnet.T2IAdapter": _handle("CONTROL_NET", T2IModel),
    "comfy.sd.CLIP": _handle("CLIP", Clip),
    "comfy.sd.VAE": _handle("VAE", Vae),
    "comfy.sd1_clip.SD1ClipModel": _encoders(1),
    "comfy.sdxl_clip.SDXLClipModel": _encoders(2),
    "comfy.sdxl_clip.SDXLRefinerClipModel": _encoders(1, "clip_g"),
    "comfy.model_base.BaseModel": _network(),
    "comfy.model_base.SDXL": _network(SizesVector),
    "comfy.model_base.SDXLRefiner": _network(AestheticVector),
    "comfy.ldm.modules.diffusionmodules.openaimodel.UNetModel": _is_whole_network,
    "comfy.latent_formats.LatentFormat": lambda handle: isinstance(handle.ours, LatentFormat),
    "comfy.latent_formats.SD15": _scale(SD_LATENT),
    "comfy.latent_formats.SDXL": _scale(SDXL_LATENT),
    "comfy.latent_formats.SDXL_Playground_2_5": _scale(PLAYGROUND_LATENT),
}
"""Which of our handles play the part of a class, for `isinstance`."""
