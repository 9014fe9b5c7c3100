"""Which waiting job goes to which idle worker."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Protocol, TypeVar

from execution.queue import Waiting
from execution.traits import Holdings

LOOK_AHEAD = 8
"""Jobs from the front of the queue that are compared."""

MOST_PASSES = 8
"""How often a job lets another go first that an idle worker holds the models of."""


class Prepared(Protocol):
    """A worker as routing sees it."""

    @property
    def holdings(self) -> Holdings: ...


W = TypeVar("W", bound=Prepared)


class Router:
    """Keeps the order of the queue, except that a job whose models a busy worker holds waits a little for that worker
    while an idle one can go on with what it has loaded. No worker is left idle for it."""

    def __init__(self) -> None:
        self._first = ""
        self._passes = 0

    def choose(self, queue: Iterable[Waiting], idle: Sequence[W], busy: Sequence[W]) -> tuple[Waiting, W]:
        """The next job and its worker. There is at least one of each."""
        front = list(islice(queue, LOOK_AHEAD))
        first = front[0]
        if first.id != self._first:
            self._first, self._passes = first.id, 0
        chosen = first, _best(first, idle)
        if self._may_wait(first, chosen[1], busy):
            for job in front[1:]:
                worker = _best(job, idle)
                if job.traits.files and worker.holdings.shared(job.traits)[0] == len(job.traits.files):
                    self._passes += 1
                    return job, worker
        return chosen

    def _may_wait(self, job: Waiting, worker: W, busy: Sequence[W]) -> bool:
        """Whether a busy worker holds more of the job's models. Jobs that were put in front wait for nobody."""
        if not job.traits.files or job.number < 0 or self._passes >= MOST_PASSES:
            return False
        here = worker.holdings.shared(job.traits)[0]
        return any(one.holdings.shared(job.traits)[0] > here for one in busy)


def _best(job: Waiting, workers: Sequence[W]) -> W:
    """The worker that holds most of what the job needs; of equals the one that holds least else, then the first."""
    return max(workers, key=lambda worker: (worker.holdings.shared(job.traits), -len(worker.holdings)))
