"""How a worker's process ends: with its server whatever it does, and before others when memory runs out."""

import contextlib
import faulthandler
import fcntl
import os
import resource
import select
import signal
import sys

UNUSED_GOES_FIRST, FIRST_TO_GO = 1000, 800
"""How much sooner than others (of 1000) the kernel ends a process when memory runs out, by what it is good for."""


def be_expendable(lifeline: int) -> None:
    """Have the kernel end this process and all that it starts with its server, even while a node holds the interpreter.

    `lifeline` is the end of a pipe whose other end only the server has. The group of this process, which must be its
    leader, is killed when that end closes: a signal to this process alone would leave behind what it has started.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    be_ended_first(UNUSED_GOES_FIRST)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # where this is not known, the thread that reads commands notices in time
            fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
            fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    ends = select.poll()
    ends.register(lifeline)
    if ends.poll(0):  # the server had ended before
        end_all()


def be_ended_first(score: int) -> None:
    """Tell the kernel whom to end when memory runs out."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(score))


def end_all() -> None:
    """End this process and what it has started."""
    os.killpg(0, signal.SIGKILL)
