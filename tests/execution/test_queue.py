"""In which order jobs wait."""

from execution.engine import Job
from execution.queue import JobQueue


def job(id: str, number: float) -> Job:
    return Job(id, number, {}, (), {}, None, "pending", 0)


def test_lower_numbers_come_first_and_equal_ones_as_they_came() -> None:
    queue = JobQueue()
    for id, number in [("a", 2), ("b", 1), ("c", 2), ("d", -5.5), ("e", 1)]:
        queue.add(job(id, number))
    assert [queue.pop().id for _ in range(len(queue))] == ["d", "b", "e", "a", "c"]


def test_only_what_waits_is_removed() -> None:
    queue = JobQueue()
    for id in "abc":
        queue.add(job(id, 1))
    assert [one.id for one in queue.remove(["b", "x"])] == ["b"]
    assert [one.id for one in queue] == ["a", "c"]
