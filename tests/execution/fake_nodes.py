"""Small nodes for the tests of the engine: quick, slow, failing and deadly ones."""

import hashlib
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NamedTuple

from nodes.context import Context
from nodes.files import NumberedFiles
from nodes.registry import Registry
from nodes.spec import NODE_ATTRIBUTE, Blocker, Choice, Expansion, FileChoice, Number, Shown, Socket, node, spec_of
from tests.execution import harmful_nodes

THING = Annotated[Any, Socket("THING")]
OTHER = Annotated[Any, Socket("OTHER")]
Count = Annotated[int, Number(min=0, max=1000)]


@node("Make", category="test")
def make(value: Count = 1) -> THING:
    """A number to begin with."""
    return value


@node("Add", category="test")
def add(a: THING, b: THING) -> THING:
    """The sum of two numbers."""
    return a + b


@node("Pass", category="test")
def hand_on(x: THING) -> THING:
    """The same number."""
    return x


@node("Block", category="test")
def block(x: THING) -> THING:
    """Keeps what reads it from running."""
    return Blocker(f"{x} is not wanted")


@node("Expand", category="test")
def expand(x: THING) -> THING:
    """The same number, by way of nodes of its own."""
    nodes = {
        "twice": {"class_type": "Add", "inputs": {"a": x, "b": x}},
        "show": {"class_type": "Show", "inputs": {"x": ["twice", 0]}},
    }
    return Expansion((["twice", 0],), nodes)


class Two(NamedTuple):
    """A thing and another."""

    first: THING
    second: OTHER


@node("Split", category="test")
def split(x: THING) -> Two:
    """Two outputs of different types."""
    return Two(x, -x)


@node("Show", category="test", output=True)
def show(x: THING) -> Annotated[Shown, Socket("THING")]:
    """An output node that shows its input."""
    return Shown(x, {"text": [str(x)]})


@node("ShowOther", category="test", output=True)
def show_other(x: OTHER) -> None:
    """An output node for the other type, without anything to show."""


@node("Widgets", category="test", output=True)
def widgets(
    number: Annotated[int, Number(min=1, max=10)],
    mode: Annotated[str, Choice(("fast", "slow"))],
    file: Annotated[str, FileChoice("checkpoints")],
    real: Annotated[float, Number(min=0, max=1)] = 0.5,
    text: str = "hello",
    flag: bool = False,
    maybe: THING | None = None,
) -> None:
    """One input of every kind."""


@node("Upload", category="test", output=True)
def upload(image: Annotated[str, FileChoice("input", upload=True)]) -> None:
    """A file that a person uploads."""


@node("Even", category="test", output=True)
def even(number: Count = 0) -> Annotated[Shown, Socket("THING")]:
    """An output node that checks its number itself."""
    return Shown(number, {"text": [str(number)]})


def _is_even(number: int) -> bool | str:
    return number % 2 == 0 or f"{number} is odd"


CHECKED = replace(even.__node__, validate=_is_even, validated=frozenset({"number"}))  # type: ignore[attr-defined]
setattr(even, NODE_ATTRIBUTE, CHECKED)


@node("Random", category="test", cached=False)
def random_number() -> THING:
    """Never the same."""
    return os.urandom(4)


def _identity(path: str) -> str:
    return str(Path(path).stat().st_mtime_ns)


@node("ReadFile", category="test", fingerprint=_identity)
def read_file(path: str) -> THING:
    """What a file holds now."""
    return Path(path).read_text()


@node("Fail", category="test")
def fail(x: THING) -> THING:
    """Raises."""
    raise ValueError(f"I do not like {x}")


@node("SaveText", category="test", output=True)
def save_text(context: Context, x: THING, name: str = "thing.txt") -> Annotated[Shown, Socket("THING")]:
    """Writes a number into the output folder, and shows a preview beside it."""
    (context.paths.output / name).write_text(str(x))
    kept, preview = ({"filename": name, "subfolder": "", "type": kind} for kind in ("output", "temp"))
    return Shown(x, {"texts": [kept], "previews": [preview]})


@node("TellPreviews", category="test", output=True)
def tell_previews(context: Context) -> Annotated[Shown, Socket("THING")]:
    """Shows how previews are to be made."""
    return Shown(None, {"text": [context.settings.preview_method]})


@node("Garble", category="test", output=True)
def garble(how: Annotated[str, Choice(("nonsense", "too much"))]) -> None:
    """Writes into the worker's pipe to its server."""
    os.write(int(sys.argv[1]), b"\0\0\0\5hello" if how == "nonsense" else b"\x7f\xff\xff\xff")
    time.sleep(60)


@node("TakeAllMemory", category="test", output=True)
def take_all_memory() -> None:
    """Allocates without bound, in a process that may have 100 MB more than it has."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (100 << 20), resource.RLIM_INFINITY))
    held: list[bytearray] = []
    try:
        while True:
            held.append(bytearray(10 << 20))
    finally:
        held.clear()
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@node("Exhaust", category="test", output=True)
def exhaust() -> None:
    """Asks for more memory than there is."""
    raise MemoryError("all gone")


@node("Die", category="test", output=True)
def die(how: Annotated[str, Choice(("exit", "kill", "segfault", "sys.exit", "ctrl-c", "recurse"))]) -> None:
    """Ends the process it runs in, or tries to."""
    if how == "exit":
        os._exit(3)
    if how == "kill":
        os.kill(os.getpid(), 9)
    if how == "segfault":
        os.kill(os.getpid(), 11)
    if how == "sys.exit":
        raise SystemExit(4)
    if how == "ctrl-c":
        raise KeyboardInterrupt
    die("recurse")


@node("Steps", category="test")
def steps(context: Context, count: Count = 10, milliseconds: Count = 20, seed: Count = 0) -> THING:
    """Works in steps and can be stopped between them."""
    for step in range(count):
        time.sleep(milliseconds / 1000)
        context.progress(step + 1, count, b"jpeg")
    return count


@node("Hang", category="test")
def hang(seconds: Count = 60) -> THING:
    """Never asks whether it should stop."""
    time.sleep(seconds)
    return seconds


def _wait_for(file: str) -> None:
    while file and not Path(file).exists():
        time.sleep(0.01)


@node("AppendLine", category="test", output=True, cached=False)
def append_line(path: str, line: str = "ran", milliseconds: Count = 0, gate: str = "") -> None:
    """Leaves a trace on disk each time it runs, as soon as the file `gate` is there, if one is named."""
    time.sleep(milliseconds / 1000)
    _wait_for(gate)
    with open(path, "a") as file:
        file.write(line + "\n")


@node("SaveWhole", category="test", output=True, cached=False)
def save_whole(context: Context, name: str, gate: str = "") -> Annotated[Shown, Socket("THING")]:
    """Saves a file that begins with its checksum, slowly, as pictures are saved; as soon as the gate is there."""
    _wait_for(gate)
    content = os.urandom(1 << 16)

    def save(file: BinaryIO) -> None:
        file.write(hashlib.sha256(content).digest())
        for start in range(0, len(content), 1 << 13):
            file.write(content[start : start + (1 << 13)])
            file.flush()
            time.sleep(0.001)

    file = NumberedFiles(context.paths.output, name).write(".bin", save)
    return Shown(None, {"files": [{"filename": file, "subfolder": "", "type": "output"}]})


@node("ProcessId", category="test", output=True, cached=False)
def process_id() -> Annotated[Shown, Socket("THING")]:
    """Shows which process it runs in."""
    return Shown(os.getpid(), {"pid": [os.getpid()]})


@node("WriteProcessId", category="test", output=True, cached=False)
def write_process_id(path: str) -> None:
    """Writes down which process it runs in."""
    Path(path).write_text(str(os.getpid()))


@node("StartChild", category="test", output=True, cached=False)
def start_child(path: str) -> None:
    """Starts a program that nobody waits for, and writes down its process."""
    child = subprocess.Popen(["sleep", "60"])
    Path(path).write_text(str(child.pid))


def load() -> Registry:
    """All nodes of this module, and those that harm their worker."""
    registry = Registry()
    for value in [*globals().values(), *vars(harmful_nodes).values()]:
        spec = spec_of(value)
        if spec is not None:
            registry.add(spec)
    return registry
