"""The jobs that wait, in the order in which they will run. Their graphs lie in the store."""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from execution.traits import Traits

MOST_ATTEMPTS = 2
"""How often a job is begun before the end of its server, or of its worker, is taken for its doing."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What memory holds of a job that waits. `secrets` is extra data that must not lie on disk."""

    id: str
    number: float
    client_id: str | None = None
    attempt: int = 0
    traits: Traits = field(default_factory=Traits)
    secrets: Mapping[str, Any] = field(default_factory=dict[str, Any])


class JobQueue:
    """Lower numbers first, equal ones as they came."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Waiting]] = []
        self._arrivals = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Waiting]:
        return (job for _, _, job in self._waiting)

    def add(self, job: Waiting) -> None:
        insort(self._waiting, (job.number, next(self._arrivals), job), key=lambda one: one[:2])

    def take(self, job: Waiting) -> None:
        """Take out a job that is near the front."""
        place = next(number for number, one in enumerate(self) if one is job)
        del self._waiting[place]

    def remove(self, job_ids: Iterable[str]) -> list[Waiting]:
        """Take out these jobs, as far as they wait."""
        unwanted = set(job_ids)
        removed = [job for job in self if job.id in unwanted]
        if removed:
            self._waiting = [one for one in self._waiting if one[2].id not in unwanted]
        return removed
