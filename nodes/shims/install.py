"""Puts the modules that packs import where Python finds them. Only a worker does this, once, when it loads packs.

Two of them, `nodes` and `execution`, are names of our own packages. Those stay what they are; attributes that they
have not are looked for in the module of ComfyUI's, so that `from nodes import MAX_RESOLUTION` works beside
`from nodes.spec import NodeSpec` in one process.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from nodes.controlnet import UNION_TYPES
from nodes.shims import (
    attention,
    comfy_types,
    comfy_utils,
    graph_utils,
    k_diffusion,
    lora,
    model_patcher,
    node_helpers,
    patcher_extension,
    sampler_helpers,
    samplers,
)
from nodes.shims.api import api_modules
from nodes.shims.cli_args import LatentPreviewMethod, arguments
from nodes.shims.comfy_sd import ControlFiles, ModelFiles, VisionFiles
from nodes.shims.execution_state import execution_modules
from nodes.shims.exports import module, public
from nodes.shims.folder_paths import FolderPaths
from nodes.shims.model_management import ModelManagement
from nodes.shims.own_nodes import OwnNodes
from nodes.shims.placeholders import placeholders
from nodes.shims.previews import Previews
from nodes.shims.prompt_server import BinaryEventTypes, PromptServer
from nodes.spec import Blocker
from nodes.v1 import model_sampling
from nodes.v1.conds import CondValue
from nodes.v1.model_parts import ModelType
from nodes.v1.pack_server import PackServer
from nodes.v1.runtime import Runtime, calling_pack

INTERFACE_VERSION = "0.33.0"
"""The version of ComfyUI whose interface packs find, for those that ask."""

CLOSED = frozenset(
    {
        "comfy", "comfy_api", "comfy_api_nodes", "comfy_config", "comfy_execution", "comfy_extras", "comfyui_version",
        "folder_paths", "latent_preview", "node_helpers", "server",
    }
)  # fmt: skip
"""Packages and modules of ComfyUI's of which nothing exists but what is installed here."""


def install(runtime: Runtime, server: PackServer) -> Callable[[], None]:
    """Makes the modules importable; call what is returned to take them away again."""
    own = OwnNodes(runtime)
    made = placeholders(own.NODE_CLASS_MAPPINGS) | modules(runtime, server)
    overlaid = overlays(own)
    finder = _Refuser()
    sys.modules.update(made)
    for name, module_made in made.items():
        # No such file is there; packs ask for its folder, in which ComfyUI's lie beside its models and outputs.
        module_made.__file__ = str(runtime.paths.base.joinpath(*name.split(".")).with_suffix(".py"))
        parent, _, child = name.rpartition(".")
        if parent in made:
            setattr(made[parent], child, module_made)
    for name, attributes in overlaid.items():
        _overlay(importlib.import_module(name), attributes)
    sys.meta_path.insert(0, finder)

    def uninstall() -> None:
        if finder not in sys.meta_path:
            return
        sys.meta_path.remove(finder)
        for name in made:
            sys.modules.pop(name, None)
        for name in overlaid:
            importlib.import_module(name).__dict__.pop("__getattr__", None)

    return uninstall


def modules(runtime: Runtime, server: PackServer) -> dict[str, ModuleType]:
    """The modules by name, parents before their members."""
    management = ModelManagement(runtime)
    graphs = _graphs(runtime)
    attributes: dict[str, Mapping[str, Any]] = {
        "folder_paths": public(FolderPaths(runtime.paths, runtime)),
        "node_helpers": _definitions(node_helpers),
        "latent_preview": public(Previews(runtime)),
        "server": _server(runtime, server),
        "comfyui_version": {"__version__": INTERFACE_VERSION},
        "comfy": {},
        "comfy.utils": _utils(runtime),
        "comfy.model_management": public(management),
        "comfy.clip_vision": public(VisionFiles(runtime)),
        "comfy.conds": {"CONDRegular": CondValue, "CONDCrossAttn": CondValue},
        "comfy.controlnet": public(ControlFiles(runtime)),
        "comfy.sd": public(ModelFiles(runtime)),
        "comfy.ldm.modules.attention": _definitions(attention),
        "comfy.lora": _definitions(lora),
        "comfy.lora_convert": {"convert_lora": lora.convert_lora},
        "comfy.model_base": {"ModelType": ModelType},
        "comfy.model_patcher": model_patcher.EXPORTED,
        "comfy.model_sampling": _definitions(model_sampling),
        "comfy.patcher_extension": _definitions(patcher_extension) | patcher_extension.EXPORTED,
        "comfy.sampler_helpers": _definitions(sampler_helpers),
        "comfy.cldm.control_types": {"UNION_CONTROLNET_TYPES": {name: i for i, name in enumerate(UNION_TYPES)}},
        "comfy.comfy_types": _definitions(comfy_types),
        "comfy.comfy_types.node_typing": _definitions(comfy_types),
        "comfy.cli_args": {
            "args": arguments(runtime.paths, runtime.settings),
            "LatentPreviewMethod": LatentPreviewMethod,
        },
        "comfy_execution": {},
        "comfy_execution.graph_utils": graphs,
        **execution_modules(runtime),
        "comfy_execution.graph": {"ExecutionBlocker": Blocker, "is_link": graph_utils.is_link},
    }
    return {name: module(name, values) for name, values in attributes.items()} | _sampling() | api_modules(runtime)


def _sampling() -> dict[str, ModuleType]:
    """The modules of samplers, whose functions call each other through them, as packs put theirs in their place."""
    known = _definitions(k_diffusion) | k_diffusion.EXPORTED | k_diffusion.sampler_functions()
    functions = module("comfy.k_diffusion.sampling", known)
    named = samplers.Samplers(functions)
    made = module("comfy.samplers", public(named))
    named.module = made
    return {
        "comfy.k_diffusion.sampling": functions,
        "comfy.k_diffusion.utils": module("comfy.k_diffusion.utils", {"append_dims": k_diffusion.append_dims}),
        "comfy.samplers": made,
        "comfy.sample": module("comfy.sample", public(samplers.Sampling(made))),
    }


def overlays(own: OwnNodes) -> dict[str, Mapping[str, Any]]:
    """What packs look for in modules whose names are those of packages of ours."""
    return {"nodes": _OwnNodesView(own), "execution": {"ExecutionBlocker": Blocker}}


class _OwnNodesView(dict[str, Any]):
    """The attributes of `nodes`, among them every node by its id, made when it is asked for."""

    def __init__(self, own: OwnNodes) -> None:
        super().__init__(public(own))
        self._classes = own.NODE_CLASS_MAPPINGS

    def __missing__(self, name: str) -> Any:
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*super().__iter__(), *self._classes))


def _overlay(package: ModuleType, attributes: Mapping[str, Any]) -> None:
    """Has a package look in `attributes` for what it has not itself."""

    def missing(name: str) -> Any:
        if name == "__all__":
            return [one for one in attributes if one.isidentifier()]
        try:
            return attributes[name]
        except KeyError:
            raise AttributeError(f"module {package.__name__!r} has no attribute {name!r}") from None

    package.__dict__["__getattr__"] = missing


class _Unchanged(Loader):
    """Loads a module that is there anew, which leaves it as it is: with all that packs have put into it."""

    def exec_module(self, module: ModuleType) -> None:
        """Nothing."""


class _Refuser:
    """Says clearly that a part of ComfyUI's own packages is not there."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Finds what is there and is to be loaded anew; raises ModuleNotFoundError for what only ComfyUI has."""
        if name.partition(".")[0] in CLOSED:
            if target is not None:
                return ModuleSpec(name, _Unchanged(), is_package=hasattr(target, "__path__"))
            _refuse(name)
        return None


def _refuse(name: str) -> NoReturn:
    raise ModuleNotFoundError(f"{calling_pack()} imports {name}, a part of ComfyUI that Weft does not offer")


def _utils(runtime: Runtime) -> dict[str, Any]:
    class ProgressBar(comfy_utils.ProgressBar):
        """A progress bar of the node that runs."""

        def __init__(self, total: int, node_id: str | None = None) -> None:
            super().__init__(runtime, total, node_id)

    return _definitions(comfy_utils) | {"ProgressBar": ProgressBar, "PROGRESS_BAR_ENABLED": True}


def _graphs(runtime: Runtime) -> dict[str, Any]:
    class GraphBuilder(graph_utils.GraphBuilder):
        """A graph of the node that runs."""

        prefixes = runtime.prefixes

    return _definitions(graph_utils) | {"GraphBuilder": GraphBuilder, "ExecutionBlocker": Blocker}


def _server(runtime: Runtime, server: PackServer) -> dict[str, Any]:
    class Server(PromptServer):
        """The server of this worker."""

    Server.instance = Server(runtime, server)
    return {"PromptServer": Server, "BinaryEventTypes": BinaryEventTypes}


def _definitions(source: ModuleType) -> dict[str, Any]:
    """The public functions, classes and constants that a module of ours defines itself."""
    return {
        name: value
        for name, value in vars(source).items()
        if not name.startswith("_")
        and getattr(value, "__module__", source.__name__) == source.__name__
        and not isinstance(value, ModuleType)
    }
