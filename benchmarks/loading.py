"""Measures how a checkpoint is loaded: seconds, bytes read from the disk, and memory; then several in turn.

    python -m benchmarks.loading FILE.safetensors [ANOTHER.safetensors …]

Each way of loading runs in a process of its own, on the CPU in float32. With several files, they are loaded and used
in turn three times, which shows what a worker that changes checkpoints grows to. Linux only: it reads /proc.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

MIB = 1 << 20
TURNS = 3
Figures = dict[str, float]


def field(file: str, name: str) -> int:
    """A number of a file of lines `name: number` below /proc/self; kB are made bytes."""
    for line in Path("/proc/self", file).read_text(encoding="ascii").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            number, *unit = value.split()
            return int(number) * (1024 if unit else 1)
    raise KeyError(name)


def forget(path: Path) -> None:
    """Has the system drop its copy of a file, so that the next reading comes from the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def load_once(paths: list[Path], cold: bool) -> Figures:
    """Loads the first file in this process."""
    from models.loading.load import load_checkpoint
    from models.memory import DevicePolicy

    policy = DevicePolicy.choose(cpu=True, force_fp32=True)
    if cold:
        forget(paths[0])
    memory, read, processor, start = field("status", "VmRSS"), field("io", "read_bytes"), os.times(), time.monotonic()
    checkpoint = load_checkpoint(paths[0], policy)
    seconds, after = time.monotonic() - start, os.times()
    figures = {
        "seconds": seconds,
        "user seconds": after.user - processor.user,
        "system seconds": after.system - processor.system,
        "file (MiB)": paths[0].stat().st_size / MIB,
        "read from the disk (MiB)": (field("io", "read_bytes") - read) / MIB,
        "weights (MiB)": policy.memory.machine.bytes / MIB,
        "peak memory above the start (MiB)": (field("status", "VmHWM") - memory) / MIB,
    }
    del checkpoint
    return figures


def in_turn(paths: list[Path], cold: bool) -> Figures:
    """Loads and uses all files in turn."""
    import torch

    from models.loading.library import Library
    from models.memory import DevicePolicy

    del cold
    policy = DevicePolicy.choose(cpu=True, force_fp32=True)
    library = Library(policy)
    start = field("status", "VmRSS")
    figures: Figures = {}
    for turn in range(TURNS):
        for path in paths:
            model = library.checkpoint(path).model
            with torch.no_grad(), model.unet.on_device() as unet:
                width = unet.config.context_dim
                unet(torch.zeros(1, 4, 8, 8), torch.zeros(1), torch.zeros(1, 77, width))
            figures[f"turn {turn + 1}, {path.name} (MiB)"] = (field("status", "VmRSS") - start) / MIB
    figures["weights in memory (MiB)"] = policy.memory.machine.bytes / MIB
    figures["peak memory above the start (MiB)"] = (field("status", "VmHWM") - start) / MIB
    return figures


WAYS: dict[str, Callable[[list[Path], bool], Figures]] = {"once": load_once, "turns": in_turn}


def measured(way: str, paths: list[Path], *, cold: bool = False) -> Figures:
    """Measures in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.loading",
        "--way",
        way,
        *(["--cold"] if cold else []),
        *map(str, paths),
    ]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def table(columns: dict[str, Figures]) -> str:
    """A Markdown table, one row for each figure."""
    rows = [f"| | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for name in next(iter(columns.values())):
        cells = [f"{figures[name]:.1f}" for figures in columns.values()]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures how checkpoints are loaded.")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--cold", action="store_true", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.way:
        print(json.dumps(WAYS[flags.way](flags.files, flags.cold)))
        return
    columns = {
        "from the disk": measured("once", flags.files[:1], cold=True),
        "from the system's copy": measured("once", flags.files[:1]),
    }
    print(table(columns))
    if len(flags.files) > 1:
        print(f"\n{table({'in turn': measured('turns', flags.files)})}")


if __name__ == "__main__":
    main()
