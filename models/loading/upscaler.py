"""Loads upscalers: ESRGAN's in the three layouts of its files, and others if the package spandrel is installed."""

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.loading.adapters import Kind
from models.loading.detect import UnknownModelError
from models.loading.files import TensorFile, open_tensors
from models.loading.plan import Report
from models.loading.separate import named
from models.loading.sources import Source, Sources
from models.memory import DevicePolicy
from models.upscaler import RrdbConfig, RrdbNet, Upscaler

ESRGAN = Kind("an ESRGAN upscaler", RrdbConfig.from_shapes, RrdbNet)

RENAMED: tuple[tuple[str, str], ...] = (
    (r"RRDB_trunk\.(\d+)\.RDB(\d)\.", r"body.\1.rdb\2."),
    (r"trunk_conv\.", "conv_body."),
    (r"upconv(\d)\.", r"conv_up\1."),
    (r"HRconv\.", "conv_hr."),
    (r"model\.0\.", "conv_first."),
    (r"model\.1\.sub\.(\d+)\.RDB(\d)\.(conv\d)\.0\.", r"body.\1.rdb\2.\3."),
    (r"model\.1\.sub\.\d+\.(?=weight$|bias$)", "conv_body."),
)
"""Beginnings of keys in ESRGAN's own files and in those of its first version, and the names they stand for."""

NUMBERED = re.compile(r"model\.(\d+)\.(weight|bias)")
"""What follows the body in files of the first version: the enlarging layers and the last two, by their places."""


def load_upscaler(path: Path, policy: DevicePolicy, report: Report | None = None) -> Upscaler:
    """Loads an upscaler. Raises ModelFileError."""
    with named(path), open_tensors(path) as file:
        sources = esrgan_sources(file.shapes)
        try:
            RrdbConfig.from_shapes({name: file.shapes[source.key] for name, source in sources.items()})
        except ValueError as error:
            return _foreign(file, policy, error)
        resident = ESRGAN.load(file, sources, policy, report, torch.float32)
        with resident.on_device() as network:
            return Upscaler(resident, network.scale)


def esrgan_sources(keys: Iterable[str]) -> Sources:
    """Where each parameter of an ESRGAN upscaler lies in a file with these keys; other keys keep their names."""
    keys = list(keys)
    places = sorted({int(match[1]) for key in keys if (match := NUMBERED.fullmatch(key)) and match[1] != "0"})
    layers = [f"conv_up{number}" for number in range(1, len(places) - 1)] + ["conv_hr", "conv_last"]
    layer_at = dict(zip(places, layers, strict=False))
    return {_name(key, layer_at): Source(key) for key in keys}


def _name(key: str, layer_at: Mapping[int, str]) -> str:
    match = NUMBERED.fullmatch(key)
    if match and int(match[1]) in layer_at:
        return f"{layer_at[int(match[1])]}.{match[2]}"
    for pattern, name in RENAMED:
        renamed, count = re.subn(f"^{pattern}", name, key)
        if count:
            return renamed
    return key


class SpandrelNetwork(nn.Module):
    """A network of the package spandrel, with its own way of bringing pictures to sizes that it takes."""

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.model = descriptor.model
        self._call = descriptor

    def forward(self, x: Tensor) -> Tensor:
        return self._call(x)


def _foreign(file: TensorFile, policy: DevicePolicy, error: ValueError) -> Upscaler:
    """Asks spandrel, which knows some forty kinds of upscalers. Raises UnknownModelError if it cannot tell either."""
    if find_spec("spandrel") is None:
        raise UnknownModelError(
            f"it is no ESRGAN upscaler ({error}); the package spandrel knows others: `pip install spandrel`"
        ) from error
    spandrel = import_module("spandrel")
    weights = {key: file.read(key) for key in file.shapes}
    try:
        descriptor = spandrel.ModelLoader(device="cpu").load_from_state_dict(weights)
    except spandrel.UnsupportedModelError as unknown:
        raise UnknownModelError("neither this program nor the package spandrel knows this upscaler") from unknown
    if not isinstance(descriptor, spandrel.ImageModelDescriptor) or descriptor.input_channels != 3:
        raise UnknownModelError(f"it is a model of the kind {descriptor.architecture.name}, which enlarges no pictures")
    network = SpandrelNetwork(descriptor).float().eval().requires_grad_(False)
    return Upscaler(policy.resident(network, torch.float32), descriptor.scale)
