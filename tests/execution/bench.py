"""Runs graphs of nodes that a test makes up on the spot, and tells what each of them was given and gave."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from execution.cache import Cache, CacheSettings
from execution.events import Event, NodeFinished, NodeStarted, Outcome
from execution.executor import Executor
from execution.json_text import JsonText
from execution.run import Run
from nodes.context import Context, Services, WorkerSettings
from nodes.paths import Paths
from nodes.spec import InputSpec, NodeSpec, OutputSpec, Shown


def spec(
    id: str,
    function: Callable[..., Any],
    inputs: str = "",
    outputs: str = "out",
    *,
    lazy: str = "",
    raw: str = "",
    optional: str = "",
    lists: str = "",
    **options: Any,
) -> NodeSpec:
    """A node type: names of its inputs and outputs, and which of them are lazy, raw, optional, or lists."""
    declared = tuple(
        InputSpec(
            name, "*", lazy=name in lazy.split(), optional=name in optional.split(), options={"rawLink": name in raw}
        )
        for name in inputs.split()
    )
    given = tuple(OutputSpec(name, "*", is_list=name in lists.split()) for name in outputs.split())
    return NodeSpec(id, id, "test", "", declared, given, function=function, **options)


def show() -> NodeSpec:
    """An output node that shows its input."""
    return spec("Show", lambda x: Shown(None, {"text": [x]}), "x", "", output_node=True)


@dataclass
class Bench:
    """An executor of made-up nodes. `events` are those of all runs."""

    specs: Mapping[str, NodeSpec]
    cache: CacheSettings = field(default_factory=CacheSettings)
    events: list[Event] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    emitted: Callable[[Event], None] = lambda event: None

    def __post_init__(self) -> None:
        paths = Paths.below(Path("/nowhere"), Path("/nowhere"))
        context = Context("", paths, WorkerSettings(), Services())
        self.kept = Cache(self.cache)
        self.executor = Executor(self.specs, self.kept, context, self._emit, self.stopped.__contains__)

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self.emitted(event)

    def run(self, document: Mapping[str, Any], *targets: str, **extra_data: Any) -> Outcome:
        return self.executor.run(
            Run("job", "client", JsonText.of(document), targets or ("out",), JsonText.of(extra_data))
        )

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def started(self) -> list[str]:
        return [event.node_id for event in self.of(NodeStarted)]

    def shown(self) -> list[Any]:
        """What output nodes have shown, in the order in which they did."""
        return [text for event in self.of(NodeFinished) if event.ui for text in event.ui["text"]]


def bench(*specs: NodeSpec, **options: Any) -> Bench:
    """An executor of these nodes, and of Show if none of them is called so."""
    return Bench({one.id: one for one in (show(), *specs)}, **options)
