"""Takes up the queue as the last server left it."""

from collections.abc import Callable
from contextlib import suppress

from execution.engine import Job, StoreError
from execution.events import JobFailed
from execution.executor import now
from execution.json_text import JsonText
from execution.queue import MOST_ATTEMPTS, Waiting
from execution.store import End
from execution.store_thread import StoreThread
from execution.traits import Traits

DAMAGED = "What was written of this job can no longer be read: the disk has changed it. Submit it again."


async def recovered(store: StoreThread, history_limit: int, traits_of: Callable[[JsonText], Traits]) -> list[Waiting]:
    """The jobs that wait or were running, in the order of the queue. What cannot be run ends as failed, with a reason.

    Graphs pass through memory one at a time.
    """

    def waiting(job: Job) -> Waiting:
        return Waiting(job.id, job.number, job.client_id, job.attempt, traits_of(job.graph))

    async def give_up(job: Waiting, kind: str, reason: str) -> None:
        failed = JobFailed(job.id, job.client_id, now(), kind, reason)
        end = End(job.id, "failed", failed.timestamp, {}, (failed,))
        await store.do(lambda: store.store.finish(end, history_limit))

    for job_id, attempt in await store.do(store.store.damaged):
        await store.do(lambda job_id=job_id: store.store.empty(job_id))
        await give_up(Waiting(job_id, 0, attempt=attempt), "JobDamaged", DAMAGED)
    found: list[Waiting] = []
    for one in await store.do(lambda: [waiting(job) for job in store.store.unfinished()]):
        if one.attempt < MOST_ATTEMPTS:
            found.append(one)
        else:
            reason = f"The server ended {one.attempt} times while this job ran, so it is not tried again."
            await give_up(one, "ServerDied", reason)
    # The limit may be less than it was. What a full disk keeps is forgotten when the next job ends.
    with suppress(StoreError):
        await store.do(lambda: store.store.make_room(history_limit))
    return found
