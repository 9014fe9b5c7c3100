"""Reads hypernetworks: .pt files that hold, for each width of features, the weights of two perceptrons."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.adapters.hypernetwork import Hypernetwork, Perceptrons
from models.loading.detect import UnknownModelError
from models.loading.files import read_archive
from models.loading.plan import WeightsMismatchError
from models.loading.separate import named
from models.memory import DevicePolicy, Resident

USUAL_STRUCTURE = (1.0, 2.0, 1.0)
"""Widths of the perceptrons in files that do not say."""

LONGEST_STRUCTURE = 64
WIDEST_DIGITS = 9

Pairs = Mapping[int, Sequence[Mapping[str, Tensor]]]


def load_hypernetwork(path: Path, policy: DevicePolicy) -> Resident[Hypernetwork]:
    """Loads a hypernetwork. Raises ModelFileError."""
    with named(path):
        content = read_archive(path) if path.is_file() else None
        return policy.resident(hypernetwork_of(content).to(policy.unet_dtype), policy.unet_dtype)


def hypernetwork_of(content: Any) -> Hypernetwork:
    """Builds a hypernetwork from what its file holds. Raises UnknownModelError and WeightsMismatchError."""
    pairs = _pairs(content)
    if not pairs:
        raise UnknownModelError("it holds no pairs of perceptrons by width: not a hypernetwork")
    try:
        with torch.device("meta"):  # what a file says of its widths takes no memory until its tensors agree
            network = Hypernetwork(pairs, _perceptrons(content))
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise UnknownModelError(f"it is a hypernetwork of an unknown kind: {error}") from error
    for width, weights in pairs.items():
        perceptrons = cast(nn.ModuleList, network.pairs[str(width)])
        for perceptron, tensors in zip(perceptrons, weights, strict=True):
            _fill(cast(nn.Sequential, perceptron), tensors, width)
    return network.eval().requires_grad_(False)


def _pairs(content: Any) -> Pairs:
    if not isinstance(content, Mapping):
        return {}
    entries = cast(Mapping[Any, Any], content).items()
    return {width: value for key, value in entries if (width := _width(key)) and _is_pair(value)}


def _width(key: Any) -> int | None:
    """The width of features that a key names, as a number or as text."""
    number = int(key) if isinstance(key, str) and key.isdecimal() and len(key) < WIDEST_DIGITS else key
    return number if isinstance(number, int) and 0 < number < 10**WIDEST_DIGITS else None


def _is_pair(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(isinstance(one, Mapping) for one in value)


def _perceptrons(content: Mapping[str, Any]) -> Perceptrons:
    structure = content.get("layer_structure") or USUAL_STRUCTURE
    if len(structure) > LONGEST_STRUCTURE:
        raise ValueError(f"its perceptrons have {len(structure)} layers")
    return Perceptrons(
        tuple(float(share) for share in structure),
        activation=content.get("activation_func") or "linear",
        layer_norm=bool(content.get("is_layer_norm")),
        activate_output=bool(content.get("activate_output")),
    )


def _fill(perceptron: nn.Sequential, tensors: Mapping[str, Tensor], width: int) -> None:
    """Gives a perceptron its weights. Layers are taken in order: their numbers in files also count dropouts."""
    layers = [layer for layer in perceptron if next(layer.parameters(), None) is not None]
    names = sorted({name.rpartition(".")[0] for name in tensors}, key=_number)
    if len(names) != len(layers):
        raise WeightsMismatchError(f"its perceptron of width {width} has {len(names)} layers instead of {len(layers)}")
    for layer, name in zip(layers, names, strict=True):
        try:
            layer.load_state_dict({one: tensors[f"{name}.{one}"].float() for one in ("weight", "bias")}, assign=True)
        except (KeyError, RuntimeError) as error:
            raise WeightsMismatchError(f"{name} of its perceptron of width {width} does not fit: {error}") from error
        if not all(torch.isfinite(parameter).all() for parameter in layer.parameters()):
            raise WeightsMismatchError(f"{name} of its perceptron of width {width} is not finite: the file is damaged")


def _number(name: str) -> int:
    """The number at the end of `linear.3`, or of `linear2` in old files."""
    digits = "".join(character for character in name if character.isdecimal())
    return int(digits or 0)
