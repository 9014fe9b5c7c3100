"""The program as `main.py` starts it, with the small nodes of the engine's tests in place of ours: up in an instant.

Run as a script with main.py's flags. WEFT_TEST_KILL names a method, "module:Class.method": the process kills itself
when that is called for the first time; with ":after", when it returns.
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import main
from execution.messages import WorkerSetup
from tests.execution.fake_host import HOST


def deadly(method: Callable[..., Any], when: str) -> Callable[..., Any]:
    def act(*values: Any, **named: Any) -> Any:
        if when == "after":
            method(*values, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return act


def plant(place: str) -> None:
    module, owner, when = (*place.split(":"), "before")[:3]
    kind, _, name = owner.partition(".")
    holder = getattr(importlib.import_module(module), kind)
    setattr(holder, name, deadly(getattr(holder, name), when))


if __name__ == "__main__":
    main.WorkerSetup = partial(WorkerSetup, host=HOST)  # type: ignore[misc]
    if place := os.environ.get("WEFT_TEST_KILL"):
        plant(place)
    sys.exit(main.main())
