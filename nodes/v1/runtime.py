"""What foreign code sees of its worker: folders, settings, and the job and node that run at this moment."""

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from nodes.context import Context, Home, InterruptedByUserError
from nodes.spec import NodeSpec

PACKAGE = "custom_nodes"
"""The package whose members are the packs, as Python names their modules."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a foreign node's function. `numbers` count the graphs that it builds."""

    context: Context
    numbers: Iterator[int] = field(default_factory=itertools.count)


CALL: ContextVar[Call | None] = ContextVar("call", default=None)
"""The call that is going on, as the thread or task knows it that runs it."""


class Runtime:
    """One worker as the modules that packs import see it.

    `specs` are all nodes there are, `classes` those of foreign ones, and `added` what packs have put among our nodes
    themselves, instead of declaring it. `renamed` are the ids of nodes by those that they had before. The node that
    runs is known to the thread or task that runs it; other threads, which a node may have started, are told the one
    that was called last.
    """

    def __init__(self, home: Home, specs: Mapping[str, NodeSpec]) -> None:
        self.paths = home.paths
        self.settings = home.settings
        self.services = home.services
        self.tell = home.tell
        self.last_job = home.last_job
        self._interrupt = home.interrupt
        self.specs = specs
        self.classes: dict[str, Any] = {}
        self.added: dict[str, Any] = {}
        self.renamed: dict[str, str] = {}
        self._listed: ContextVar[dict[str, list[str]] | None] = ContextVar("listed", default=None)
        self._idle = Call(Context("", home.paths, home.settings, home.services))
        self._last = self._idle

    @property
    def call(self) -> Call:
        """The call that is going on; one that belongs to no node if there is none."""
        return CALL.get() or self._last

    @property
    def context(self) -> Context:
        """What the node that runs may ask of the engine."""
        return self.call.context

    @property
    def prefixes(self) -> Iterator[str]:
        """Without end: what begins the ids of the next graph that the call which goes on builds."""
        while True:
            call = self.call
            yield f"{call.context.new_ids}{next(call.numbers)}."

    def interrupt(self) -> None:
        """Stops the job that runs: there and then if a node of it calls this, else when it is next asked."""
        self._interrupt()
        if CALL.get() is not None:
            raise InterruptedByUserError("a node has stopped the job")

    @contextmanager
    def listing_once(self) -> Iterator[None]:
        """Within it, each folder is listed once, however many nodes ask for its files."""
        token = self._listed.set({})
        try:
            yield
        finally:
            self._listed.reset(token)

    def listed(self, folder: str, list_now: Callable[[], list[str]]) -> list[str]:
        """The files of a folder, listed now or a moment ago."""
        known = self._listed.get()
        if known is None:
            return list_now()
        if folder not in known:
            known[folder] = list_now()
        return list(known[folder])

    @contextmanager
    def running(self, call: Call) -> Iterator[None]:
        """Makes this the call that is going on."""
        self._last = call
        token = CALL.set(call)
        try:
            yield
        finally:
            CALL.reset(token)
            if self._last is call:
                self._last = self._idle


def calling_pack() -> str:
    """The pack whose code is innermost on the stack, for messages; "a custom node" where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(f"{PACKAGE}."):
            return f"the pack {name.split('.')[1]!r}"
        frame = frame.f_back
    return "a custom node"


class NotOfferedError(AttributeError):
    """Foreign code has asked for a part of ComfyUI that does not exist here."""

    def __init__(self, what: str, instead: str = "") -> None:
        advice = f": {instead}" if instead else ""
        super().__init__(f"{calling_pack()} uses {what}, which Weft does not offer{advice}")


def check_running() -> None:
    """Raises InterruptedByUserError once the job of the call that is going on is to stop."""
    call = CALL.get()
    if call is not None:
        call.context.check()
