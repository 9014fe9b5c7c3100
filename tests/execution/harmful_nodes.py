"""Nodes that do to their worker what the fault matrix asks for."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any

from nodes.spec import FileChoice, Number, Socket, node

THING = Annotated[Any, Socket("THING")]
Megabytes = Annotated[int, Number(min=0, max=1000)]


@node("HoldUntil", category="test")
def hold_until(gate: str, started: str) -> THING:
    """Makes the file `started`, and lets no other thread of its process run until the file `gate` is there."""
    clib = ctypes.PyDLL(None)  # whose functions, unlike those of CDLL, keep the interpreter while they run
    patience, path = sys.getswitchinterval(), gate.encode()
    sys.setswitchinterval(3600)
    try:
        clib.close(clib.creat(started.encode(), 0o600))
        while clib.access(path, os.F_OK):
            clib.usleep(1000)
    finally:
        sys.setswitchinterval(patience)
    return 0


@node("Print", category="test", output=True)
def print_much(megabytes: Megabytes) -> None:
    """Prints so much, in lines."""
    line = "x" * 1023 + "\n"
    for _ in range(megabytes):
        sys.stdout.write(line * 1024)
    sys.stdout.flush()


@node("TakeMemory", category="test", output=True)
def take_memory(megabytes: Megabytes) -> None:
    """Uses so much memory, and is ended as the kernel ends who uses too much."""
    held = [bytearray(os.urandom(1 << 10) * 1024) for _ in range(megabytes)]
    assert len(held) == megabytes
    os.kill(os.getpid(), signal.SIGKILL)


@node("Load", category="test")
def load_file(file: Annotated[str, FileChoice("checkpoints")], trace: str) -> THING:
    """Writes down which process loads which file."""
    with Path(trace).open("a") as lines:
        lines.write(f"{file} {os.getpid()}\n")
    return file


@node("Raise", category="test", output=True)
def raise_message(message: str) -> None:
    """Fails with a message."""
    raise ValueError(message)


@node("Send", category="test", output=True)
def send_frame(text: str) -> None:
    """Sends a frame of its own to the server, and waits for what comes of it."""
    data = text.encode()
    os.write(int(sys.argv[1]), len(data).to_bytes(4, "big") + data)
    time.sleep(60)
