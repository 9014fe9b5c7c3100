"""All node types that a worker knows."""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from types import ModuleType

from nodes.spec import NodeSpec, spec_of

BUILTIN = (
    "nodes.checkpoint",
    "nodes.lora",
    "nodes.model_merging",
    "nodes.saving_models",
    "nodes.loaders",
    "nodes.text",
    "nodes.conditioning",
    "nodes.controlnet",
    "nodes.clip_vision",
    "nodes.style",
    "nodes.gligen",
    "nodes.hypernetwork",
    "nodes.latent",
    "nodes.sampling",
    "nodes.custom_sampling",
    "nodes.guiders",
    "nodes.samplers",
    "nodes.schedulers",
    "nodes.sigmas",
    "nodes.model_sampling",
    "nodes.model_patches",
    "nodes.guidance_patches",
    "nodes.vae",
    "nodes.image",
    "nodes.mask",
    "nodes.image_scale",
    "nodes.image_resize",
    "nodes.image_edit",
    "nodes.image_batch",
    "nodes.image_compositing",
    "nodes.image_filters",
    "nodes.latent_transform",
    "nodes.latent_batch",
    "nodes.latent_composite",
    "nodes.latent_operations",
    "nodes.inpainting",
    "nodes.upscaling",
    "nodes.primitives",
    "nodes.logic",
    "nodes.strings",
    "nodes.animated",
    "nodes.mask_files",
    "nodes.latent_files",
)


class DuplicateNodeError(ValueError):
    """Two nodes claim the same id."""


class Registry(Mapping[str, NodeSpec]):
    """Node types by id."""

    def __init__(self) -> None:
        self._specs: dict[str, NodeSpec] = {}

    def __getitem__(self, id: str) -> NodeSpec:
        return self._specs[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def add(self, spec: NodeSpec) -> None:
        """Adds a node type. Raises DuplicateNodeError."""
        if spec.id in self._specs:
            raise DuplicateNodeError(f"node '{spec.id}' of {spec.module} is already there")
        self._specs[spec.id] = spec

    def replace(self, spec: NodeSpec) -> None:
        """Puts a newer declaration in the place of a node type's."""
        self._specs[spec.id] = spec

    def add_module(self, module: ModuleType) -> None:
        """Adds every node declared in a module, in the order of the file."""
        for value in vars(module).values():
            spec = spec_of(value)
            if spec is not None and getattr(value, "__module__", None) == module.__name__:
                self.add(spec)


def load_builtin(modules: Iterable[str] = BUILTIN) -> Registry:
    """Imports the program's own node modules (and with them torch) and returns their nodes."""
    registry = Registry()
    for name in modules:
        registry.add_module(import_module(name))
    return registry
