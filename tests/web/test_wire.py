"""Each event of the engine becomes the messages that ComfyUI's clients know."""

import json

import pytest

from execution import events
from execution.engine import HistoryEntry, Job
from execution.json_text import JsonText
from web.server import strict_json, wire
from web.server.job_text import history_member
from web.server.wire import Message, NodeState, Preview, ProgressState

AT = ("j", "me")
STATE = ProgressState("j", {"3": NodeState("running", 5, 20)})
STEP = {"value": 5, "max": 20, "prompt_id": "j", "node": "3"}
BLAME = {"node_id": "3", "node_type": "KSampler", "executed": ["1"]}
FAILED = {
    "prompt_id": "j",
    "timestamp": 9,
    **BLAME,
    "exception_message": "no memory",
    "exception_type": "OutOfMemoryError",
    "traceback": ["line"],
    "current_inputs": {"steps": ["20"]},
    "current_outputs": ["1"],
}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            events.QueueChanged(2),
            [Message("status", {"status": {"exec_info": {"queue_remaining": 2}}}, everyone=True)],
        ),
        (
            events.WorkerChanged("failed", "no torch"),
            [Message("worker", {"state": "failed", "detail": "no torch"}, everyone=True)],
        ),
        (events.JobStarted(*AT, 9), [Message("execution_start", {"prompt_id": "j", "timestamp": 9})]),
        (
            events.NodesCached(*AT, ("1", "2"), 9),
            [Message("execution_cached", {"nodes": ["1", "2"], "prompt_id": "j", "timestamp": 9})],
        ),
        (
            events.NodeStarted(*AT, "3"),
            [STATE, Message("executing", {"node": "3", "display_node": "3", "prompt_id": "j"})],
        ),
        (
            events.NodeProgress(*AT, "3", 5, 20),
            [STATE, Message("progress", STEP, supersedes="progress j 3")],
        ),
        (events.NodePreview(*AT, "3", b"jpeg"), [Preview("j", "3", b"jpeg")]),
        (events.NodePicture(*AT, "3", b"png"), [Preview("j", "3", b"png", format="png")]),
        (events.NodeFinished(*AT, "3"), [STATE]),
        (
            events.NodeFinished(*AT, "3", {"images": []}),
            [
                Message("executed", {"node": "3", "display_node": "3", "output": {"images": []}, "prompt_id": "j"}),
                STATE,
            ],
        ),
        (events.JobSucceeded(*AT, 9), [Message("execution_success", {"prompt_id": "j", "timestamp": 9})]),
        (
            events.JobInterrupted(*AT, 9, "3", "KSampler", ("1",)),
            [Message("execution_interrupted", {"prompt_id": "j", "timestamp": 9, **BLAME}, everyone=True)],
        ),
        (
            events.JobFailed(
                *AT, 9, "OutOfMemoryError", "no memory", "3", "KSampler", ("1",), ("line",), {"steps": "20"}
            ),
            [STATE, Message("execution_error", FAILED)],
        ),
        (events.JobEnded(*AT), [Message("executing", {"node": None, "prompt_id": "j"})]),
    ],
)
def test_an_event_becomes_its_messages(event: events.Event, told: list[wire.Frame]) -> None:
    assert wire.translate(event, STATE.progress) == told


def test_an_error_without_a_node_says_nothing_of_nodes() -> None:
    [message] = wire.translate(events.JobFailed(*AT, 9, "WorkerDied", "signal 9"), {})
    assert isinstance(message, Message)
    assert (message.type, message.data["node_id"]) == ("execution_error", None)


def test_progress_follows_the_events_of_a_job() -> None:
    progress: dict[str, NodeState] = {}
    seen = []
    for event in (
        events.JobStarted(*AT, 1),
        events.NodeStarted(*AT, "1"),
        events.NodeProgress(*AT, "1", 3, 4),
        events.NodeFinished(*AT, "1"),
        events.NodeStarted(*AT, "2"),
        events.NodeFinished(*AT, "cached", {}, cached=True),
        events.JobFailed(*AT, 2, "Error", "message", node_id="2"),
    ):
        wire.advance(progress, event)
        seen.append({id: (node.state, node.value, node.maximum) for id, node in progress.items()})
    assert seen == [
        {},
        {"1": ("running", 0, 1)},
        {"1": ("running", 3, 4)},
        {"1": ("finished", 4, 4)},
        {"1": ("finished", 4, 4), "2": ("running", 0, 1)},
        {"1": ("finished", 4, 4), "2": ("running", 0, 1), "cached": ("finished", 1, 1)},
        {"1": ("finished", 4, 4), "2": ("error", 0, 1), "cached": ("finished", 1, 1)},
    ]


def test_a_progress_state_names_its_node_in_every_way_that_clients_ask_for() -> None:
    assert json.loads(wire.text_frame(STATE)) == {
        "type": "progress_state",
        "data": {
            "prompt_id": "j",
            "nodes": {
                "3": {
                    "value": 5,
                    "max": 20,
                    "state": "running",
                    "node_id": "3",
                    "prompt_id": "j",
                    "display_node_id": "3",
                    "parent_node_id": None,
                    "real_node_id": "3",
                }
            },
        },
    }


def test_what_nodes_show_is_written_as_strict_json() -> None:
    frame = wire.text_frame(Message("executed", {"output": {"values": (float("nan"), float("inf"), 1.5)}}))
    assert strict_json.parse(frame.encode()) == {"type": "executed", "data": {"output": {"values": [None, None, 1.5]}}}


def test_a_job_that_failed_or_was_interrupted_is_not_completed() -> None:
    for state in ("failed", "interrupted"):
        job = Job("j", 1.0, JsonText("{}"), (), JsonText("{}"), None, state, created=5)
        shown = json.loads(f"{{{history_member(HistoryEntry(job, {}, ()))}}}")
        assert shown["j"]["status"] == {"status_str": "error", "completed": False, "messages": []}
