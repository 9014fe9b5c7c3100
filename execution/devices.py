"""Which devices there are, found out without loading torch, and what workers tell of them."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PROBE = ("nvidia-smi", "--query-gpu=index", "--format=csv,noheader")
LONGEST_PROBE = 10.0
"""Seconds that the driver's tool gets; with no driver's daemon running it may take some."""

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU: its number as the user of this machine counts them, and what CUDA_VISIBLE_DEVICES calls it."""

    number: int
    name: str


def cuda_devices() -> list[Device]:
    """The GPUs that this program may use, none if torch is built without CUDA or there is no driver."""
    visible = os.environ.get(VISIBLE)
    if _torch_is_for_the_processor():
        names: list[str] = []
    elif visible is not None:
        names = visible.split(",")
    else:
        names = _probed()
    return [Device(number, name.strip()) for number, name in enumerate(names) if name.strip() not in ("", "-1")]


def _torch_is_for_the_processor() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return True


def _probed() -> list[str]:
    """The GPUs that the driver's tool lists."""
    tool = shutil.which(PROBE[0])
    if tool is None:
        return []
    try:
        found = subprocess.run(
            [tool, *PROBE[1:]], capture_output=True, text=True, timeout=LONGEST_PROBE, check=True
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in found.splitlines() if line.strip().isdigit()]


def environment_of(device: Device | None, threads: int) -> dict[str, str]:
    """The variables by which a worker's libraries know where to compute."""
    own = {} if device is None else {VISIBLE: device.name, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return own | ({"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)} if threads else {})


def as_seen_by(device: Device | None, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a worker told of its devices, numbered as the machine's. One that has told nothing yet has its GPU."""
    if device is None:
        return told
    devices = told.get("devices") or [_unknown(device)]
    return {**told, "devices": [_renumbered(one, device.number) for one in devices]}


def _renumbered(told: Mapping[str, Any], number: int) -> dict[str, Any]:
    name = str(told.get("name", "")).partition(" ")[2]
    return {**told, "index": number, "name": f"cuda:{number} {name}".strip()}


def _unknown(device: Device) -> dict[str, Any]:
    memory = dict.fromkeys(("vram_total", "vram_free", "torch_vram_total", "torch_vram_free"), 0)
    return {"name": f"cuda:{device.number}", "type": "cuda", "index": device.number, **memory}


def combined(told: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What several workers tell, as one: each device once, in the order of their numbers."""
    result: dict[str, Any] = {}
    devices: dict[tuple[Any, Any], Mapping[str, Any]] = {}
    for one in told:
        result |= one
        for device in one.get("devices", ()):
            devices.setdefault((device.get("type"), device.get("index")), device)
    if devices:
        result["devices"] = sorted(devices.values(), key=lambda device: device.get("index") or 0)
    return result
