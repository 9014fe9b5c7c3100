"""Runs graphs: values in, events out, content for keys."""

from collections.abc import Callable, Mapping

from execution.cache import Cache
from execution.calling import NodeError, frames_of, message_of, type_name
from execution.events import Event, JobFailed, JobInterrupted, JobStarted, JobSucceeded, Outcome, now
from execution.job import JobRun
from execution.kinds import Kinds
from execution.reading import Readings
from execution.run import Run
from nodes.context import Context, InterruptedByUserError
from nodes.spec import NodeSpec


class Executor:
    """Runs graphs one at a time in the calling thread, and keeps results from one to the next.

    `context` is what nodes see of the worker, `emit` takes the events, `stopped` says whether a job (by id) is to end.
    """

    def __init__(
        self,
        specs: Mapping[str, NodeSpec],
        cache: Cache,
        context: Context,
        emit: Callable[[Event], None],
        stopped: Callable[[str], bool],
    ) -> None:
        self._kinds = Kinds(specs)
        self._readings = Readings()
        self._cache = cache
        self._context = context
        self._emit = emit
        self._stopped = stopped

    def run(self, run: Run) -> Outcome:
        """Run what the targets need, and tell how it ended. Nothing that a node does makes this raise."""
        self._emit(JobStarted(run.job_id, run.client_id, now()))
        job = JobRun(run, self._kinds, self._readings, self._cache, self._context, self._emit, self._stopped)
        try:
            job.run()
        except InterruptedByUserError:
            return JobInterrupted(
                run.job_id, run.client_id, now(), job.current, job.current_type, executed=tuple(job.executed)
            )
        except NodeError as error:
            return JobFailed(
                run.job_id, run.client_id, now(), error.exception_type, error.message, error.node_id, error.node_type,
                tuple(job.executed), error.frames, error.inputs,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - a graph that cannot be read ends its job, not the worker
            return JobFailed(
                run.job_id, run.client_id, now(), type_name(error), message_of(error), job.current, job.current_type,
                tuple(job.executed), frames_of(error),
            )  # fmt: skip
        return JobSucceeded(run.job_id, run.client_id, now())
