"""Changes to weights as packs hold them: dictionaries of changes by a weight's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from models.memory import WeightPatch
from models.weights.changes import Added, Change, Replaced, Whole
from models.weights.lora_file import lora_of
from models.weights.lora_names import text_modules, unet_modules
from models.weights.patches import AdapterPatch
from nodes.v1.runtime import NotOfferedError

PREFIX = "diffusion_model."
"""What stands before the names of a UNet's weights in the hands of packs."""

NAME = "a LoRA of a pack"

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Found:
    """A change to a network's weights, if there is one, and the names that it changes, as packs spell them."""

    patch: WeightPatch | None
    names: list[str]


def unet_keys(shapes: Shapes) -> dict[str, str]:
    """The names of a UNet's weights, by all names under which an adapter may speak of them."""
    return {spelling: f"{PREFIX}{module}.weight" for spelling, module in unet_modules(shapes).items()}


def text_keys(shapes: Shapes) -> dict[str, str]:
    """The names of text encoders' weights, by all names under which an adapter may speak of them."""
    return {spelling: f"{module}.weight" for spelling, module in text_modules(shapes).items()}


def load_lora(lora: Mapping[str, Tensor], to_load: Mapping[str, str], log_missing: bool = True) -> dict[str, Change]:
    """The changes in the tensors of a file of adapters, by the names of weights that `to_load` gives for theirs."""
    found: dict[str, Change] = {}
    for spelling, target in lora_of(NAME, dict(lora)).targets.items():
        name = to_load.get(spelling)
        if name is None:
            continue
        if target.weight is not None:
            found[name] = target.weight
        if target.bias is not None:
            found[f"{name.removesuffix('.weight')}.bias"] = target.bias
    return found


def weight_patches(
    patches: Mapping[str, Any], shapes: Shapes, prefix: str, strength: float, strength_model: float
) -> Found:
    """The changes for which there are weights of these shapes. Raises NotOfferedError for what cannot be done."""
    if strength_model != 1.0:
        raise NotOfferedError("add_patches with a strength_model other than 1", "take the nodes that merge models")
    changes: dict[str, Change] = {}
    names: list[str] = []
    for name, patch in patches.items():
        own = name.removeprefix(prefix)
        if own in shapes and name.startswith(prefix):
            changes[own] = _change(name, patch, shapes[own])
            names.append(name)
    return Found(AdapterPatch(NAME, changes, strength) if changes else None, names)


def _change(name: str, patch: Any, shape: tuple[int, ...]) -> Change:
    change = _read(name, patch)
    if not change.fits(shape):
        raise ValueError(f"the change that a pack has made for {name} does not fit its shape {list(shape)}")
    return change


def _read(name: str, patch: Any) -> Change:
    match patch:
        case (Tensor() as difference,) | ("diff", (Tensor() as difference, *_)):
            return Added(Whole(difference))
        case ("set", (Tensor() as replacement, *_)):
            return Replaced(replacement)
    if isinstance(getattr(patch, "changed", None), Callable):
        return patch
    raise NotOfferedError(f"a change to {name} of the kind {patch[0] if isinstance(patch, tuple) else type(patch)!r}")
