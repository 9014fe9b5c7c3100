"""The small nodes of the engine's tests, and those that only large and hostile graphs need."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from nodes.context import Home
from nodes.spec import Grows, NodeSpec, Number, Shown, Socket, Variants, node, spec_of
from tests.execution import fake_nodes
from tests.execution.fake_host import FakeHost

HOST = "tests.web.hostile.nodes:load"
THING = Annotated[Any, Socket("THING")]
Side = Annotated[int, Number(min=1, max=16384)]


@node("Number", category="test")
def number(value: Annotated[int, Number(min=0, max=1_000_000)]) -> THING:
    """A number, of which there are many."""
    return value


def gather(**values: Any) -> Shown:
    """Shows the sum of inputs of any name."""
    return Shown(None, {"text": [str(sum(values.values()))]})


GATHER = NodeSpec("Gather", "Gather", "test", "", (), (), output_node=True, function=gather, open_inputs=True)
"""As nodes of packs that say of every name that it is one of theirs."""


@node("Total", category="test", output=True)
def total(numbers: Annotated[Sequence[THING], Grows("number", max=10_000)]) -> Annotated[Shown, Socket("THING")]:
    """Shows the sum of inputs that grow in number."""
    return Shown(None, {"text": [str(sum(numbers))]})


@node("Blank", category="test", output=True)
def blank(width: Side, height: Side, batch_size: Annotated[int, Number(min=1, max=4096)] = 1) -> None:
    """A picture, or what would be one."""


@node("Say", category="test", output=True)
def say(text: str) -> Annotated[Shown, Socket("THING")]:
    """Shows a text."""
    return Shown(None, {"text": [text]})


@dataclass(frozen=True)
class Once:
    """Nothing to decide."""


@dataclass(frozen=True)
class Times:
    count: Annotated[int, Number(1, 9)] = 2


@node("Choose", category="test", output=True)
def choose(how: Annotated[Once | Times, Variants({"once": Once, "times": Times})]) -> None:
    """A word that decides which inputs there are."""


def load(home: Home | None = None) -> FakeHost:
    registry = fake_nodes.load()
    registry.add(GATHER)
    for function in (number, total, blank, say, choose):
        spec = spec_of(function)
        assert spec is not None
        registry.add(spec)
    return FakeHost(registry)
