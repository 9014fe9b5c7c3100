"""Fits the adapters of a file to a network: which of its parameters change, and what of the file has no place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from models.loading.header import ModelFileError
from models.weights.changes import Change
from models.weights.lora_file import Lora, Target
from models.weights.lora_names import is_of_text, text_modules, unet_modules
from models.weights.origin import base_model_of

Shapes = Mapping[str, tuple[int, ...]]
LISTED = 4
"""Keys named in a message before the rest is only counted."""


class LoraMismatchError(ModelFileError):
    """Nothing in a file of adapters fits the networks that it was to change."""


@dataclass(frozen=True, eq=False)
class AdapterPatch:
    """The changes of a file to one network, made with a strength."""

    name: str
    changes: Mapping[str, Change]
    strength: float

    @property
    def names(self) -> Collection[str]:
        return self.changes.keys()

    def patched(self, name: str, weight: Tensor) -> Tensor:
        """Returns the changed parameter, float32."""
        return self.changes[name].changed(weight.float(), self.strength)


@dataclass(frozen=True, eq=False)
class Fitted:
    """The changes to a UNet and to text encoders, by parameter, and a sentence for whatever was left out."""

    unet: Mapping[str, Change]
    text: Mapping[str, Change]
    problems: Sequence[str]


def fit(lora: Lora, unet: Shapes | None, text: Shapes | None) -> Fitted:
    """Finds the parameters that the adapters change; None stands for a network that is to stay as it is.

    Raises LoraMismatchError if none of them fits.
    """
    unet_names = unet_modules(unet) if unet is not None else {}
    text_names = text_modules(text) if text is not None else {}
    found: tuple[dict[str, Change], dict[str, Change]] = {}, {}
    unmatched = list(lora.unknown)
    misshapen: list[str] = []
    for spelling, target in lora.targets.items():
        if spelling in unet_names and unet is not None:
            misshapen += _place(spelling, target, unet_names[spelling], unet, found[0])
        elif spelling in text_names and text is not None:
            misshapen += _place(spelling, target, text_names[spelling], text, found[1])
        elif (text if is_of_text(spelling) else unet) is not None:
            unmatched.append(spelling)
    problems = _problems(lora, unmatched, misshapen)
    if problems and not any(found):
        raise LoraMismatchError(f"{lora.name} fits nothing in this model: {'; '.join(problems)}")
    return Fitted(*found, problems)


def _place(spelling: str, target: Target, module: str, shapes: Shapes, found: dict[str, Change]) -> list[str]:
    """Adds the changes to a module to those found; returns what is wrong with their shapes."""
    problems: list[str] = []
    for part, change in (("weight", target.weight), ("bias", target.bias)):
        if change is None:
            continue
        name = f"{module}.{part}"
        if name not in shapes:
            problems.append(f"{spelling} is for {name}, which this model does not have")
        elif not change.fits(shapes[name]):
            problems.append(f"{spelling} does not fit {name} of shape {list(shapes[name])}")
        else:
            found[name] = change
    return problems


def _problems(lora: Lora, unmatched: Sequence[str], misshapen: Sequence[str]) -> list[str]:
    problems: list[str] = []
    if misshapen:
        problems.append(f"{len(misshapen)} of its changes do not fit: {_some(misshapen)}")
    if unmatched:
        total = len(lora.targets) + len(lora.unknown)
        problems.append(f"{len(unmatched)} of {total} names in it belong to nothing in this model: {_some(unmatched)}")
    base = base_model_of(lora) if problems else None
    return [*problems, f"it seems to be for {base}"] if base else problems


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - LISTED} more" if len(items) > LISTED else ""
    return f"{', '.join(items[:LISTED])}{more}"
