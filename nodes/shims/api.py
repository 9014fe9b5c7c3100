"""`comfy_api`: the parts of ComfyUI's public interface that packs use."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from nodes.shims import io_nodes, io_types, io_ui
from nodes.shims.comfy_utils import jpeg_of
from nodes.shims.exports import module
from nodes.v1.runtime import Runtime

VERSIONS = ("latest", "v0_0_2")


class Execution:
    """What a running node may tell."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def set_progress(
        self, value: float, max_value: float, node_id: str | None = None, preview_image: Any = None, **options: Any
    ) -> None:
        """Tells how far the node is, with a picture if there is one."""
        picture = preview_image if preview_image is None else ("JPEG", preview_image, None)
        self._runtime.context.progress(int(value), int(max_value), jpeg_of(picture))


def api_modules(runtime: Runtime) -> dict[str, Mapping[str, Any]]:
    """The modules by name, parents before their members."""
    io = io_types.types() | io_nodes.OFFERED
    ui = io_ui.offered(runtime)

    class ComfyAPI:
        """The interface of the version asked for, whose methods are awaited."""

        execution = Execution(runtime)

    class ComfyAPISync:
        """The interface of the version asked for."""

        execution = SimpleNamespace(
            set_progress=lambda *arguments, **options: asyncio.run(
                ComfyAPI.execution.set_progress(*arguments, **options)
            )
        )

    found: dict[str, Mapping[str, Any]] = {"comfy_api": {}}
    for version in VERSIONS:
        name = f"comfy_api.{version}"
        io_module, ui_module = module(f"{name}.io", io), module(f"{name}.ui", ui)
        found[name] = {
            "ComfyAPI": ComfyAPI,
            "ComfyAPISync": ComfyAPISync,
            "ComfyExtension": io_nodes.ComfyExtension,
            "io": io_module,
            "IO": io_module,
            "ui": ui_module,
            "UI": ui_module,
        }
        found[f"{name}.io"], found[f"{name}.ui"] = io, ui
    return found
