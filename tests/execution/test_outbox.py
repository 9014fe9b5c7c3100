"""How few messages tell enough."""

from execution.events import Event, JobSucceeded, NodeFinished, NodePreview, NodeProgress, NodeStarted
from execution.outbox import Outbox


class Watch:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def outbox() -> tuple[Outbox, list[tuple[Event, ...]], Watch]:
    sent: list[tuple[Event, ...]] = []
    watch = Watch()
    return Outbox(sent.append, watch), sent, watch


def progress(value: float, maximum: float = 1000, node: str = "n") -> NodeProgress:
    return NodeProgress("job", None, node, value, maximum)


def preview(jpeg: bytes) -> NodePreview:
    return NodePreview("job", None, "n", jpeg)


def test_fast_progress_is_thinned_out_but_its_first_and_last_are_told() -> None:
    box, sent, watch = outbox()
    for step in range(1, 1001):
        watch.now = step * 0.001
        box.emit(progress(step))
    told = [event.value for events in sent for event in events if isinstance(event, NodeProgress)]
    assert told[0] == 1
    assert told[-1] == 1000
    assert 15 < len(told) < 25


def test_slow_progress_is_told_as_it_comes() -> None:
    box, sent, watch = outbox()
    for step in range(10):
        watch.now = step * 1.0
        box.emit(progress(step))
    assert len(sent) == 10


def test_at_most_ten_previews_a_second_are_sent_and_newer_ones_take_the_place_of_older() -> None:
    box, sent, watch = outbox()
    for number in range(100):
        watch.now = number * 0.01
        box.emit(preview(b"%d" % number))
    told = [event.jpeg for events in sent for event in events if isinstance(event, NodePreview)]
    assert 9 <= len(told) <= 11


def test_what_was_held_back_goes_before_what_comes_next() -> None:
    box, sent, _ = outbox()
    box.emit(progress(1))
    box.emit(progress(2))
    box.emit(preview(b"a"))
    box.emit(progress(3))
    box.emit(NodeFinished("job", None, "n", {"text": ["x"]}))
    assert sent == [
        (progress(1),),
        (progress(2), preview(b"a")),
        (progress(3), NodeFinished("job", None, "n", {"text": ["x"]})),
    ]


def test_the_end_of_one_node_travels_with_the_start_of_the_next() -> None:
    box, sent, _ = outbox()
    box.emit(NodeFinished("job", None, "a"))
    assert sent == []
    box.emit(NodeStarted("job", None, "b"))
    assert sent == [(NodeFinished("job", None, "a"), NodeStarted("job", None, "b"))]


def test_what_known_nodes_show_travels_together() -> None:
    box, sent, _ = outbox()
    known = [NodeFinished("job", None, str(number), {"text": ["x"]}, cached=True) for number in range(1000)]
    for event in known:
        box.emit(event)
    box.emit(JobSucceeded("job", None, 1))
    assert sent == [(*known, JobSucceeded("job", None, 1))]


def test_nodes_do_not_take_each_others_place() -> None:
    box, sent, _ = outbox()
    box.emit(progress(1))
    box.emit(progress(2))
    box.emit(progress(5, node="m"))
    box.emit(NodeStarted("job", None, "z"))
    assert sent[-1][:2] == (progress(2), progress(5, node="m"))
