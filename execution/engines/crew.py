"""How many workers there are, and where each computes."""

import os
from collections.abc import Sequence
from dataclasses import replace

from execution.devices import Device
from execution.messages import WorkerSetup

MOST_WORKERS = 64


def crew(setup: WorkerSetup, count: int | None, devices: Sequence[Device]) -> list[WorkerSetup]:
    """The setups of `count` workers, spread over the devices; without a count one per device, and at least one.

    Workers without a GPU share the processors evenly, so that they do not wait for each other.
    """
    count = count or max(1, len(devices))
    if not devices:
        threads = max(1, (os.cpu_count() or 1) // count) if count > 1 else 0
        return [replace(setup, threads=threads)] * count
    return [replace(setup, device=devices[number % len(devices)]) for number in range(count)]
