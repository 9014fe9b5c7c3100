"""The jobs that wait, in the order in which they will run."""

from bisect import insort
from collections.abc import Iterable, Iterator
from itertools import count

from execution.engine import Job


class JobQueue:
    """Lower numbers first, equal ones as they came."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Job]] = []
        self._arrivals = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Job]:
        return (job for _, _, job in self._waiting)

    def add(self, job: Job) -> None:
        insort(self._waiting, (job.number, next(self._arrivals), job))

    def pop(self) -> Job:
        """Take out the job that is next. Raises IndexError if there is none."""
        return self._waiting.pop(0)[2]

    def remove(self, job_ids: Iterable[str]) -> list[Job]:
        """Take out these jobs, as far as they wait."""
        unwanted = set(job_ids)
        removed = [job for job in self if job.id in unwanted]
        self._waiting = [one for one in self._waiting if one[2].id not in unwanted]
        return removed

    def find(self, job_id: str) -> Job | None:
        return next((job for job in self if job.id == job_id), None)
