"""`comfy.sd`, `comfy.controlnet` and `comfy.clip_vision`: models from files, and adapters on them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

from torch import Tensor

from models.loading.adapters import load_control, load_vision
from models.vision import MEAN, STD, prepared
from models.weights.lora_file import lora_of
from models.weights.patches import AdapterPatch, fit
from nodes.embeddings import with_embeddings
from nodes.library import library_of
from nodes.v1.clip import ForeignClip
from nodes.v1.controls import ForeignControlNet
from nodes.v1.model import ForeignModel
from nodes.v1.runtime import NotOfferedError, Runtime
from nodes.v1.values import to_foreign
from nodes.v1.vision import ForeignVision, VisionOutput


class CLIPType(Enum):
    """Families of text encoders; a file's own content decides which it is."""

    STABLE_DIFFUSION = 1
    STABLE_CASCADE = 2
    SD3 = 3
    STABLE_AUDIO = 4
    FLUX = 6


class ModelFiles:
    """The functions of the module that read files, for one worker."""

    CLIPType = CLIPType

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def load_checkpoint_guess_config(
        self, ckpt_path: str, output_vae: bool = True, output_clip: bool = True, *arguments: Any, **options: Any
    ) -> tuple[Any, ...]:
        """(model, clip, vae, None) of a checkpoint; None for what it has not or what is not wanted."""
        context = self._runtime.context
        found = library_of(context).checkpoint(Path(ckpt_path))
        clip = to_foreign(with_embeddings(found.clip, context)) if output_clip else None
        return to_foreign(found.model), clip, to_foreign(found.vae) if output_vae else None, None

    def load_diffusion_model(self, unet_path: str, model_options: Mapping[str, Any] | None = None) -> ForeignModel:
        """The UNet of a file."""
        return ForeignModel(library_of(self._runtime.context).unet(Path(unet_path)))

    def load_unet(self, unet_path: str, dtype: Any = None) -> ForeignModel:
        """The UNet of a file."""
        return self.load_diffusion_model(unet_path)

    def load_clip(
        self,
        ckpt_paths: Sequence[str],
        embedding_directory: Any = None,
        clip_type: Any = None,
        *more: Any,
        **options: Any,
    ) -> ForeignClip:
        """The text encoders of files."""
        context = self._runtime.context
        clip = library_of(context).text_encoders([Path(path) for path in ckpt_paths])
        return to_foreign(with_embeddings(clip, context))

    def load_lora_for_models(
        self,
        model: ForeignModel | None,
        clip: ForeignClip | None,
        lora: Mapping[str, Tensor],
        strength_model: float,
        strength_clip: float,
    ) -> tuple[ForeignModel | None, ForeignClip | None]:
        """Both with the adapters of a file's tensors, those that they have places for."""
        found = lora_of("the LoRA", dict(lora))
        fitted = fit(
            found,
            model.ours.unet.shapes if model is not None and strength_model else None,
            clip.ours.encoder.shapes if clip is not None and strength_clip else None,
        )
        if model is not None and fitted.unet:
            model, ours = model.clone(), model.ours
            patch = AdapterPatch(found.name, fitted.unet, strength_model)
            model.ours = replace(ours, weights=(*ours.weights, patch))
        if clip is not None and fitted.text:
            clip, text = clip.clone(), clip.ours
            patch = AdapterPatch(found.name, fitted.text, strength_clip)
            clip.ours = replace(text, weights=(*text.weights, patch))
        return model, clip


class ControlFiles:
    """What `comfy.controlnet` reads from files, for one worker."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def load_controlnet(self, ckpt_path: str, model: Any = None, model_options: Any = None) -> ForeignControlNet:
        """The ControlNet, control-LoRA or T2I-Adapter of a file."""
        library, path = library_of(self._runtime.context), Path(ckpt_path)
        return ForeignControlNet(library.other("control", path, lambda policy: load_control(path, policy)))


class VisionFiles:
    """The functions and classes of `comfy.clip_vision`, for one worker."""

    Output = VisionOutput

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def load(self, ckpt_path: str) -> ForeignVision:
        """The side of a CLIP that looks at pictures, of a file."""
        library, path = library_of(self._runtime.context), Path(ckpt_path)
        return ForeignVision(library.other("vision", path, lambda policy: load_vision(path, policy)))

    def clip_preprocess(
        self, image: Tensor, size: int = 224, mean: Any = MEAN, std: Any = STD, crop: bool = True
    ) -> Tensor:
        """Pictures (b h w 3) in 0..1 as CLIP looks at them (b 3 size size)."""
        if tuple(mean) != MEAN or tuple(std) != STD:
            raise NotOfferedError("comfy.clip_vision.clip_preprocess with colors of another encoder than CLIP")
        return prepared(image, size, crop)
