"""Nodes that change a model and its text encoder by small files of adapters: LoRA and its kin."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, cast

from torch import Tensor

from models.memory import Kept
from models.types import Clip, Model
from models.weights.lora_file import Lora, lora_of, read_lora
from models.weights.patches import AdapterPatch, Fitted, fit
from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.sockets import CLIP, MODEL, present
from nodes.spec import FileChoice, Help, Number, Shown, Socket, node

KEPT_BYTES = 1 << 30
"""How much memory the files read last may take, so that trying strengths does not read them anew."""

Strength = Annotated[float, Number(-100.0, 100.0, 0.01), Help("How strongly; below 0 it does the opposite.")]
LORA_MODEL = Annotated[Mapping[str, Tensor], Socket("LORA_MODEL")]
"""The tensors of a file of adapters, by their keys."""
Result = TypeVar("Result")

log = logging.getLogger(__name__)


class ModelAndClip(NamedTuple):
    """A model and its text encoder."""

    model: MODEL
    clip: CLIP


class LoraFiles:
    """The files of adapters that were read last."""

    def __init__(self) -> None:
        self._kept: Kept[Lora] = Kept(KEPT_BYTES, lambda lora: lora.bytes)

    def get(self, path: Path) -> Lora:
        """Returns what a file holds. Raises ModelFileError."""
        return self._kept.get(fingerprint_of(path), path.stat().st_size, lambda: read_lora(path))


def _fingerprint(lora_name: str, context: Context, **others: Any) -> str:
    del others
    return fingerprint_of(context.paths.model_file("loras", lora_name))


LoraName = Annotated[str, FileChoice("loras")]


@node("LoraLoader", name="Load LoRA (Model and CLIP)", category="model/loaders", fingerprint=_fingerprint)
def lora_loader(
    *, model: MODEL, clip: CLIP, lora_name: LoraName, strength_model: Strength = 1.0, strength_clip: Strength = 1.0,
    context: Context,
) -> ModelAndClip:  # fmt: skip
    """Changes a model and its text encoder by a file of adapters, such as a LoRA."""
    if strength_model == 0 and strength_clip == 0:
        return ModelAndClip(model, clip)
    lora = _read(context, lora_name)
    fitted = fit(
        lora,
        present(model, "model").unet.shapes if strength_model else None,
        present(clip, "text encoder").encoder.shapes if strength_clip else None,
    )
    changed = ModelAndClip(
        _changed_model(model, lora, fitted, strength_model), _changed_clip(clip, lora, fitted, strength_clip)
    )
    return _told(changed, lora, fitted.problems)


@node("LoraLoaderModelOnly", name="Load LoRA", category="model/loaders", fingerprint=_fingerprint)
def lora_loader_model_only(
    *, model: MODEL, lora_name: LoraName, strength_model: Strength = 1.0, context: Context
) -> MODEL:
    """Changes a model by a file of adapters and leaves the text encoder as it is."""
    return model if strength_model == 0 else _on_model_only(model, _read(context, lora_name), strength_model)


@node(
    "LoraLoaderBypass",
    name="Load LoRA (Bypass) (For debugging)",
    category="model/loaders",
    fingerprint=_fingerprint,
    experimental=True,
)
def lora_loader_bypass(
    *, model: MODEL, clip: CLIP, lora_name: LoraName, strength_model: Strength = 1.0, strength_clip: Strength = 1.0,
    context: Context,
) -> ModelAndClip:  # fmt: skip
    """Does what Load LoRA does: elsewhere it computes the adapter beside the weights, with the same result."""
    return lora_loader(
        model=model,
        clip=clip,
        lora_name=lora_name,
        strength_model=strength_model,
        strength_clip=strength_clip,
        context=context,
    )


@node(
    "LoraLoaderBypassModelOnly",
    name="Load LoRA (Bypass, Model Only) (for debugging)",
    category="model/loaders",
    fingerprint=_fingerprint,
    experimental=True,
)
def lora_loader_bypass_model_only(
    *, model: MODEL, lora_name: LoraName, strength_model: Strength = 1.0, context: Context
) -> MODEL:
    """Does what Load LoRA (Model Only) does: elsewhere it computes the adapter beside the weights."""
    return lora_loader_model_only(model=model, lora_name=lora_name, strength_model=strength_model, context=context)


@node("LoraModelLoader", name="Load LoRA Model", category="model/loaders", outputs=("model",), experimental=True)
def lora_model_loader(
    *,
    model: MODEL,
    lora: LORA_MODEL,
    strength_model: Annotated[float, Number(-100.0, 100.0, 0.01)] = 1.0,
    bypass: Annotated[bool, Help("Changes nothing: the result is the same either way.")] = False,
) -> MODEL:
    """Changes a model by adapters that are in memory, such as those that a node has just trained."""
    del bypass
    return model if strength_model == 0 else _on_model_only(model, lora_of("the LoRA", lora), strength_model)


def _on_model_only(model: Model, lora: Lora, strength: float) -> Model:
    fitted = fit(lora, present(model, "model").unet.shapes, None)
    return _told(_changed_model(model, lora, fitted, strength), lora, fitted.problems)


def _read(context: Context, lora_name: str) -> Lora:
    files = context.services.get(LoraFiles, LoraFiles)
    return files.get(context.paths.model_file("loras", lora_name))


def _changed_model(model: Model, lora: Lora, fitted: Fitted, strength: float) -> Model:
    if not fitted.unet or strength == 0:
        return model
    return replace(model, weights=(*model.weights, AdapterPatch(lora.name, fitted.unet, strength)))


def _changed_clip(clip: Clip, lora: Lora, fitted: Fitted, strength: float) -> Clip:
    if not fitted.text or strength == 0:
        return clip
    return replace(clip, weights=(*clip.weights, AdapterPatch(lora.name, fitted.text, strength)))


def _told(result: Result, lora: Lora, problems: Sequence[str]) -> Result:
    """The result, with what did not fit shown on the node: the engine takes that in a result's place."""
    if not problems:
        return result
    told = [f"{lora.name}: {problem}" for problem in problems]
    for sentence in told:
        log.warning(sentence)
    return cast(Result, Shown(result, {"text": told}))
