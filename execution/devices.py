"""Which devices there are, found out without loading torch, and what workers tell of them."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

DEV = Path("/dev")
CARDS = "nvidia[0-9]*"
"""The files in /dev of the GPUs that this program may open; a container sees its own."""

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU: its number as the user of this machine counts them, and what CUDA_VISIBLE_DEVICES calls it."""

    number: int
    name: str


def cuda_devices(wanted: Collection[int] | None = None) -> list[Device]:
    """The GPUs that this program may use, of the `wanted` numbers if there are any; none without CUDA or a driver."""
    visible = os.environ.get(VISIBLE)
    if _torch_is_for_the_processor():
        names: list[str] = []
    elif visible is not None:
        names = [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    else:
        names = [str(number) for number, _ in enumerate(DEV.glob(CARDS))]
    return [Device(number, name) for number, name in enumerate(names) if wanted is None or number in wanted]


def _torch_is_for_the_processor() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return True


def environment_of(device: Device | None, threads: int) -> dict[str, str]:
    """The variables by which a worker's libraries know where to compute."""
    own = {} if device is None else {VISIBLE: device.name}
    if device is not None and VISIBLE not in os.environ:
        own["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # numbers as the driver's tools give them
    return own | ({"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)} if threads else {})


def as_seen_by(device: Device | None, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a worker told of its devices, numbered as the machine's. One that has told nothing yet has its GPU."""
    if device is None:
        return told
    devices = told.get("devices") or [_unknown(device)]
    return {**told, "devices": [_renumbered(one, device.number) for one in devices]}


def _renumbered(told: Mapping[str, Any], number: int) -> dict[str, Any]:
    if told.get("type") != "cuda":
        return dict(told)
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
