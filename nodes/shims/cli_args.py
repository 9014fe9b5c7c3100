"""`comfy.cli_args`: the flags that packs look at."""

from enum import Enum
from types import SimpleNamespace
from typing import Any

from nodes.context import WorkerSettings
from nodes.paths import Paths


class LatentPreviewMethod(Enum):
    """How latents are shown while they are sampled."""

    NoPreviews = "none"
    Auto = "auto"
    Latent2RGB = "latent2rgb"
    TAESD = "taesd"

    @classmethod
    def from_string(cls, value: str) -> "LatentPreviewMethod | None":
        """The method of this name, None if there is none."""
        return next((one for one in cls if one.value == value), None)


class Arguments(SimpleNamespace):
    """The flags by name. Those that Weft has not were not given: they are None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


def arguments(paths: Paths, settings: WorkerSettings) -> Arguments:
    """What the worker was started with."""
    return Arguments(
        cpu=settings.cpu,
        force_fp16=settings.force_fp16,
        force_fp32=settings.force_fp32,
        disable_metadata=settings.disable_metadata,
        preview_method=LatentPreviewMethod(settings.preview_method),
        base_directory=str(paths.base),
        input_directory=str(paths.input),
        output_directory=str(paths.output),
        temp_directory=str(paths.temp),
        user_directory=str(paths.user),
        listen=settings.served_at[0],
        port=settings.served_at[1],
        lowvram=settings.vram == "low",
        novram=settings.vram == "none",
        highvram=settings.vram == "high",
        gpu_only=settings.vram == "high",
        reserve_vram=settings.reserve_vram or None,
        disable_all_custom_nodes=not settings.custom_nodes,
        multi_user=False,
        verbose="INFO",
    )
