"""`comfy_api`: the parts of ComfyUI's public interface that packs use."""

import logging
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

from PIL import Image
from torch import Tensor

from nodes.image import as_picture
from nodes.shims import io_groups, io_nodes, io_types, io_ui
from nodes.shims.api_media import INPUTS, MAKERS, SHAPES
from nodes.shims.comfy_utils import jpeg_of
from nodes.shims.exports import module
from nodes.shims.io_nodes import NodeReplace
from nodes.v1.runtime import Runtime

LOG = logging.getLogger("weft.custom_nodes")

VERSIONS = ("latest", "v0_0_2", "v0_0_1")

PREVIEW_SIDE = 512
"""The longest side of a preview, unless the node wants it larger."""


class Execution:
    """What a running node may tell."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def set_progress(
        self,
        value: float,
        max_value: float,
        node_id: str | None = None,
        preview_image: Image.Image | Tensor | None = None,
        ignore_size_limit: bool = False,
    ) -> None:
        """Tells how far the node that runs is, with a picture if there is one: also a batch, of which the first."""
        preview = None
        if preview_image is not None:
            preview = jpeg_of(("JPEG", _picture(preview_image), None if ignore_size_limit else PREVIEW_SIDE))
        self._runtime.context.progress(value, max_value, preview)


def _picture(preview: Image.Image | Tensor) -> Image.Image:
    """A picture of its own; a tensor is (h, w, c) or (b, h, w, c)."""
    if isinstance(preview, Tensor):
        return as_picture(preview[0] if preview.ndim == 4 else preview)
    return preview.copy()


class Replacements:
    """Which nodes take the place of older ones."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def register(self, replacement: NodeReplace) -> None:
        """Notes that a node has another id now. One that has other inputs or outputs too is no help to workflows that
        are saved: that is told."""
        if replacement.input_mapping is None and replacement.output_mapping is None:
            self._runtime.renamed[replacement.old_node_id] = replacement.new_node_id
            return
        LOG.warning(
            "Custom nodes: %s takes the place of %s with other inputs or outputs: saved workflows miss the older node.",
            replacement.new_node_id, replacement.old_node_id,
        )  # fmt: skip


def api_modules(runtime: Runtime) -> dict[str, ModuleType]:
    """The modules by name, parents before their members."""
    contents: dict[str, Mapping[str, Any]] = {
        "comfy_api": {},
        "comfy_api.input": INPUTS,
        "comfy_api.input.video_types": INPUTS,
        "comfy_api.input.basic_types": INPUTS,
        "comfy_api.input_impl": MAKERS,
        "comfy_api.input_impl.video_types": MAKERS | SHAPES | INPUTS,
        "comfy_api.util": SHAPES,
        "comfy_api.util.video_types": SHAPES,
    }
    io = io_types.types() | io_groups.GROUPS | io_nodes.OFFERED
    ui = io_ui.offered(runtime)
    made = {name: module(name, values) for name, values in contents.items()}
    for version in VERSIONS:
        made |= _version(f"comfy_api.{version}", runtime, io, ui)
    return made


def _version(name: str, runtime: Runtime, io: Mapping[str, Any], ui: Mapping[str, Any]) -> dict[str, ModuleType]:
    """The modules of one version; their contents also have the names under which that version keeps them."""
    contents: dict[str, Mapping[str, Any]] = {
        "io": io,
        "_io": io,
        "ui": ui,
        "_ui": ui,
        "_input": INPUTS,
        "_input_impl": MAKERS,
        "_input_impl.video_types": MAKERS | SHAPES | INPUTS,
        "_util": SHAPES,
        "Input": {one.removesuffix("Input"): value for one, value in INPUTS.items()},
        "InputImpl": MAKERS,
        "Types": SHAPES,
    }
    members = {member: module(f"{name}.{member}", values) for member, values in contents.items()}
    itself = {
        "ComfyAPI": _comfy_api(runtime),
        "ComfyAPISync": _comfy_api_sync(runtime),
        "ComfyExtension": io_nodes.ComfyExtension,
        "IO": members["io"],
        "UI": members["ui"],
    }
    return {name: module(name, itself), **{one.__name__: one for one in members.values()}}


def _comfy_api_sync(runtime: Runtime) -> type:
    class ComfyAPISync:
        """What nodes may ask for and tell."""

        execution = Execution(runtime)
        node_replacement = Replacements(runtime)

    return ComfyAPISync


def _comfy_api(runtime: Runtime) -> type:
    told, replacements = Execution(runtime), Replacements(runtime)

    async def set_progress(*arguments: Any, **options: Any) -> None:
        told.set_progress(*arguments, **options)

    async def register(replacement: NodeReplace) -> None:
        replacements.register(replacement)

    class ComfyAPI:
        """What nodes may ask for and tell, in methods that are awaited."""

        execution = SimpleNamespace(set_progress=set_progress)
        node_replacement = SimpleNamespace(register=register)

    return ComfyAPI
