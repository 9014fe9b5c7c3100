"""How much memory there is, how much of it is free, and what is said when it does not suffice."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux tells a container how much memory it may take."""


class NotEnoughMemoryError(RuntimeError):
    """A device or the machine has too little memory for what was asked."""


@contextmanager
def explained_out_of_memory(doing: str) -> Iterator[None]:
    """Turns torch's out-of-memory errors into one that says what was being done and what helps."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise NotEnoughMemoryError(
            f"not enough memory for {doing}: make the picture or the batch smaller, or close other programs"
        ) from error


def size_in_bytes(network: nn.Module) -> int:
    """Returns how much memory the weights take."""
    return sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())


def free_bytes(device: torch.device) -> int:
    """Returns how much memory may still be taken on a device without pushing anything out."""
    if device.type == "cuda":
        unused_by_torch = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused_by_torch
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return _available_memory()


def total_bytes() -> int:
    """Returns the memory of the machine, or of the container if that has less; 8 GiB where the system does not tell."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        machine = 8 << 30
    return min(machine, _container_limit() or machine)


def _available_memory() -> int:
    """Reads what the machine can give without swapping; half of all its memory where only Linux would tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            fields = dict(line.split(":", 1) for line in lines)
        machine = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        return total_bytes() // 2
    limit, used = _container_limit(), _container_use()
    return machine if limit is None or used is None else max(0, min(machine, limit - used))


def _container_limit() -> int | None:
    return _number(CGROUP / "memory.max")


def _container_use() -> int | None:
    """Bytes in use in the container, without the copies of files that the system drops when it needs room."""
    try:
        lines = (CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
        files = next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    except (OSError, StopIteration, ValueError):
        files = 0
    used = _number(CGROUP / "memory.current")
    return None if used is None else used - files


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
