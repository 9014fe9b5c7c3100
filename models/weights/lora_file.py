"""Reads adapters from the tensors of a file: for each module that the file speaks of, the changes to its parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from models.loading.files import open_tensors
from models.loading.header import ModelFileError
from models.loading.separate import named
from models.weights.changes import (
    Added,
    Butterfly,
    Change,
    Factors,
    Generalized,
    Hadamard,
    Kronecker,
    LowRank,
    Magnitude,
    Replaced,
    Rotated,
    Whole,
)

Parts = Mapping[str, Tensor]
"""The tensors that a file has for one module, by what they are for."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "up": (".lora_up.weight", "_lora.up.weight", ".lora.up.weight", ".lora_B.weight", ".lora_B.default.weight",
           ".lora_B", ".lora_linear_layer.up.weight"),
    "down": (".lora_down.weight", "_lora.down.weight", ".lora.down.weight", ".lora_A.weight", ".lora_A.default.weight",
             ".lora_A", ".lora_linear_layer.down.weight"),
    "mid": (".lora_mid.weight",),
    "alpha": (".alpha",),
    "dora": (".dora_scale",),
    "magnitude": (".lora_magnitude_vector", ".lora_magnitude_vector.weight", ".lora_magnitude_vector.default.weight"),
    "difference": (".diff", ".w_norm"),
    "bias": (".diff_b", ".b_norm"),
    "replacement": (".set_weight",),
}  # fmt: skip
"""How the names of tensors end, by what they are for."""

LYCORIS = (
    "hada_w1_a", "hada_w1_b", "hada_t1", "hada_w2_a", "hada_w2_b", "hada_t2",
    "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2",
    "a1.weight", "a2.weight", "b1.weight", "b2.weight", "oft_blocks", "rescale",
)  # fmt: skip
"""Endings that LyCORIS adds, which are their own names."""

_ENDINGS = {ending: part for part, endings in PARTS.items() for ending in endings} | {f".{end}": end for end in LYCORIS}
_KEY = re.compile(f"(.+?)({'|'.join(re.escape(ending) for ending in sorted(_ENDINGS, key=len, reverse=True))})")
_PEFT = "base_model.model."
"""What PEFT puts before the names of a module, and so behind that of the network where there is one."""


@dataclass(frozen=True, eq=False)
class Target:
    """What a file has for one module: changes to its weight and its bias, and the keys of its tensors."""

    weight: Change | None
    bias: Change | None
    keys: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Lora:
    """The adapters of a file by the names of modules, as the file spells them. `unknown` are keys of no known kind."""

    name: str
    targets: Mapping[str, Target]
    unknown: tuple[str, ...]
    metadata: Mapping[str, str]
    bytes: int


def read_lora(path: Path) -> Lora:
    """Reads a file of adapters. Raises ModelFileError."""
    with named(path), open_tensors(path) as file:
        tensors = {key: file.read(key) for key in file.shapes}
        return lora_of(path.name, tensors, file.metadata)


def lora_of(name: str, tensors: Parts, metadata: Mapping[str, str] | None = None) -> Lora:
    """Sorts tensors by the modules that they are for. Raises ModelFileError."""
    grouped: dict[str, dict[str, str]] = {}
    unknown: list[str] = []
    for key in tensors:
        match = _KEY.fullmatch(key)
        if match is None:
            unknown.append(key)
        else:
            grouped.setdefault(match[1].replace(_PEFT, "", 1), {})[_ENDINGS[match[2]]] = key
    targets: dict[str, Target] = {}
    for module, keys in grouped.items():
        parts = {part: tensors[key] for part, key in keys.items()}
        target = Target(_weight_change(parts), _bias_change(parts), tuple(keys.values()))
        if target.weight is None and target.bias is None:
            unknown += target.keys
        else:
            targets[module] = target
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    return Lora(name, targets, tuple(unknown), metadata or {}, size)


def _weight_change(parts: Parts) -> Change | None:
    alpha = _alpha(parts)
    if _has(parts, "replacement"):
        return Replaced(parts["replacement"])
    if _has(parts, "difference"):
        return Added(Whole(parts["difference"]))
    if _has(parts, "oft_blocks"):
        return _rotation(parts, alpha or 0.0)
    magnitude = _magnitude(parts)
    if _has(parts, "up", "down"):
        return Added(LowRank(parts["up"], parts["down"], parts.get("mid")), alpha, magnitude)
    if _has(parts, "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"):
        return Added(Hadamard(*(_hadamard_factors(parts, number) for number in "12")), alpha, magnitude)
    first, second = (_kronecker_factors(parts, number) for number in "12")
    if first and second:
        return Added(Kronecker(first, second), alpha, magnitude)
    if _has(parts, "a1.weight", "a2.weight", "b1.weight", "b2.weight"):
        return Added(Generalized(*(parts[f"{name}.weight"] for name in ("a1", "a2", "b1", "b2"))), alpha, magnitude)
    return None


def _alpha(parts: Parts) -> float | None:
    if "alpha" not in parts:
        return None
    if parts["alpha"].numel() != 1:
        raise ModelFileError(f"an alpha in it is {list(parts['alpha'].shape)} numbers instead of one")
    return float(parts["alpha"])


def _bias_change(parts: Parts) -> Change | None:
    return Added(Whole(parts["bias"])) if "bias" in parts else None


def _has(parts: Parts, *names: str) -> bool:
    return all(name in parts for name in names)


def _magnitude(parts: Parts) -> Magnitude | None:
    if "dora" in parts:
        return Magnitude(parts["dora"])
    return Magnitude(parts["magnitude"], of_sum=True) if "magnitude" in parts else None


def _rotation(parts: Parts, constraint: float) -> Change:
    blocks, rescale = parts["oft_blocks"], parts.get("rescale")
    if blocks.ndim == 4:
        return Butterfly(blocks, rescale, constraint)
    return Added(Rotated(blocks, rescale, constraint))


def _hadamard_factors(parts: Parts, number: str) -> Factors:
    left, right = parts[f"hada_w{number}_a"], parts[f"hada_w{number}_b"]
    return Factors(left, right, parts.get(f"hada_t{number}"))


def _kronecker_factors(parts: Parts, number: str) -> Factors | None:
    whole = f"lokr_w{number}"
    if whole in parts:
        return Factors(parts[whole])
    if _has(parts, f"{whole}_a", f"{whole}_b"):
        return Factors(parts[f"{whole}_a"], parts[f"{whole}_b"], parts.get(f"lokr_t{number}"))
    return None
