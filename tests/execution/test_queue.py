"""In which order jobs wait."""

from execution.queue import JobQueue, Waiting


def test_lower_numbers_come_first_and_equal_ones_as_they_came() -> None:
    queue = JobQueue()
    for id, number in [("a", 2), ("b", 1), ("c", 2), ("d", -5.5), ("e", 1)]:
        queue.add(Waiting(id, number))
    assert [one.id for one in queue] == ["d", "b", "e", "a", "c"]


def test_a_job_is_taken_out_wherever_it_waits() -> None:
    queue = JobQueue()
    for id in "abc":
        queue.add(Waiting(id, 1))
    queue.take(list(queue)[1])
    assert [one.id for one in queue] == ["a", "c"]


def test_only_what_waits_is_removed() -> None:
    queue = JobQueue()
    for id in "abc":
        queue.add(Waiting(id, 1))
    assert [one.id for one in queue.remove(["b", "x"])] == ["b"]
    assert [one.id for one in queue] == ["a", "c"]
