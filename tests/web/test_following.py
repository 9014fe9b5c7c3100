"""What the client of a large job is told, and what it is spared."""

from execution.events import (
    JobEnded,
    JobSucceeded,
    NodeBlocked,
    NodeFinished,
    NodePreview,
    NodeProgress,
    NodeStarted,
    OfJob,
)
from web.server.following import MANY_NODES, FollowedJob
from web.server.wire import Frame, Message, Preview, ProgressState


class Watch:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def name(frame: Frame) -> str:
    match frame:
        case Message(type="executing"):
            return f"executing {frame.data['node']}"
        case Message():
            return frame.type
        case ProgressState():
            return "states"
        case Preview():
            return "preview"


def started(node: str) -> NodeStarted:
    return NodeStarted("j", "c", node)


def finished(node: str, text: str | None = None) -> NodeFinished:
    return NodeFinished("j", "c", node, None if text is None else {"text": [text]})


class Followed:
    """A job, and the names of the frames that were sent of it."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.job = FollowedJob("j", self.watch)
        self.frames: list[Frame] = []

    def tell(self, *told: OfJob) -> list[str]:
        sent = [frame for event in told for frame in self.job.frames(event)]
        self.frames += sent
        return [name(frame) for frame in sent]

    def pass_time(self, seconds: float) -> list[str]:
        self.watch.now += seconds
        sent = self.job.due()
        self.frames += sent
        return [name(frame) for frame in sent]


def large() -> Followed:
    """A job with many nodes behind it, of which everything has been told."""
    followed = Followed()
    for number in range(MANY_NODES + 1):
        followed.tell(started(f"n{number}"), finished(f"n{number}"))
    followed.pass_time(1)
    followed.pass_time(1)
    followed.frames.clear()
    return followed


def test_each_node_of_a_small_job_is_told() -> None:
    followed = Followed()
    assert followed.tell(started("a"), finished("a"), started("b")) == [
        "states", "executing a", "states", "states", "executing b",
    ]  # fmt: skip


def test_ten_thousand_quick_nodes_are_few_messages() -> None:
    followed = Followed()
    for number in range(10_000):
        followed.watch.now += 0.0002
        followed.tell(started(str(number)), finished(str(number)))
    followed.tell(JobSucceeded("j", "c", 9), JobEnded("j", "c"))
    assert len(followed.frames) < 450
    assert [name(frame) for frame in followed.frames[-3:]] == ["states", "execution_success", "executing None"]
    told = {node_id for frame in followed.frames if isinstance(frame, ProgressState) for node_id in frame.progress}
    assert len(told) == 10_000


def test_a_node_that_takes_long_is_named_soon() -> None:
    followed = large()
    followed.tell(started("a"), finished("a"))
    assert followed.tell(started("slow")) == []
    assert followed.job.holds_back
    assert followed.pass_time(0.06) == ["executing slow"]


def test_what_a_node_shows_is_always_told_after_its_name() -> None:
    followed = large()
    followed.tell(started("a"), finished("a"))
    assert followed.tell(started("b"), finished("b", "x")) == ["executing b", "executed"]


def test_a_picture_and_a_step_follow_the_name_of_their_node() -> None:
    followed = large()
    followed.tell(started("a"), finished("a"))
    assert followed.tell(started("b"), NodePreview("j", "c", "b", b"jpeg")) == ["executing b", "preview"]
    assert followed.tell(started("d"), NodeProgress("j", "c", "d", 1, 2)) == ["executing d", "progress"]
    assert followed.tell(NodeBlocked("j", "c", "e", "T", "no", 9)) == ["execution_error"]


def test_states_are_told_a_few_times_a_second_and_only_of_what_has_changed() -> None:
    followed = large()
    followed.tell(started("a"), finished("a"), started("b"))
    followed.pass_time(0.3)
    states = [frame for frame in followed.frames if isinstance(frame, ProgressState)]
    assert {node_id: state.state for one in states for node_id, state in one.progress.items()} == {
        "a": "finished", "b": "running",
    }  # fmt: skip


def test_a_client_that_comes_back_is_told_of_all_nodes() -> None:
    followed = large()
    followed.tell(started("a"))
    executing, states = followed.job.resumed()
    assert name(executing) == "executing a"
    assert isinstance(states, ProgressState)
    assert len(states.progress) == MANY_NODES + 2
