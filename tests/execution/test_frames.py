"""What crosses the pipe arrives as it was sent, and nothing else arrives."""

from pathlib import Path
from typing import Any

import pytest

from execution import events
from execution.cache import CacheSettings
from execution.devices import Device
from execution.engine import Catalog
from execution.frames import FrameError, Frames
from execution.json_text import JsonText
from execution.messages import AskStats, Begin, BootFailed, Events, Free, Interrupt, Ready, Stats, Stop, WorkerSetup
from nodes.context import WorkerSettings
from nodes.paths import Paths
from tests.execution import fake_nodes

AT = ("j", "me")
TOLD = (
    events.JobStarted(*AT, 1),
    events.NodesCached("j", None, ("1", "2"), 2),
    events.NodeStarted(*AT, "3"),
    events.NodeProgress(*AT, "3", 0.5, 20),
    events.NodePreview(*AT, "3", bytes(range(256))),
    events.NodePicture(*AT, "3", bytes(range(256))),
    events.NodeFinished(*AT, "3", {"images": [{"filename": "그림\ud800"}], "$": "tuple", "deep": {"$": 1}}),
    events.JobSucceeded(*AT, 3),
    events.JobFailed(*AT, 3, "ValueError", "no", "3", "T", ("1",), ("line",), {"x": "1"}),
    events.JobInterrupted(*AT, 3, "3", "T", ("1",)),
)


@pytest.mark.parametrize(
    "message",
    [
        WorkerSetup(
            Paths.below(Path("/a"), Path("/b")), WorkerSettings(cpu=True), CacheSettings(5, 6), "h", Device(1, "x"), 2
        ),
        Begin("j", None, JsonText("{}"), ("1", "2"), JsonText('{"a":1}'), {"key": "s"}),
        Interrupt("j"),
        Free(True, False),
        AskStats(3),
        Stop(),
        BootFailed("why"),
        Events(TOLD),
        Stats(3, {"devices": [{"index": None, "vram_total": 2**40}]}),
    ],
)
def test_a_message_arrives_as_it_was_sent(message: Any) -> None:
    frames = Frames()
    assert frames.read(frames.write(message)) == message


def test_all_that_is_declared_of_nodes_arrives() -> None:
    frames = Frames()
    catalog = Catalog({id: spec.without_code() for id, spec in fake_nodes.load().items()}, {"pack": "Traceback"})
    assert frames.read(frames.write(Ready(catalog))) == Ready(catalog)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", b'{"$":"Popen"}', b'{"$":"Interrupt"}', b'{"$":"Interrupt","x":1}', b'{"$":"bytes","value":5}',
     b'{"$":["tuple"]}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        Frames().read(data)


def test_objects_of_other_kinds_do_not_cross() -> None:
    with pytest.raises(TypeError, match="cannot cross"):
        Frames().write(Stats(1, {"device": object()}))
