"""`comfy_execution.utils` and `.progress`: which node runs, and how far it is."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nodes.shims.comfy_utils import jpeg_of
from nodes.v1.runtime import Runtime


class ExecutionContext(NamedTuple):
    """The job and the node that run, and the number of the call where the node runs for each item of a list."""

    prompt_id: str
    node_id: str
    list_index: int | None


class ProgressState:
    """How far the node that runs is. That of others is not known to it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def prompt_id(self) -> str:
        """The job that runs."""
        return self._runtime.context.job_id

    def update_progress(self, node_id: str, value: float, max_value: float, image: Any = None) -> None:
        """Tells how far a node is, with a picture ("JPEG", picture, longest side) if there is one; of other nodes than
        the one that runs, nothing is told."""
        context = self._runtime.context
        if node_id == context.node_id:
            context.progress(value, max_value, jpeg_of(image))


def execution_modules(runtime: Runtime) -> Mapping[str, Mapping[str, Any]]:
    """What the two modules hold, by their names."""
    state = ProgressState(runtime)
    return {
        "comfy_execution.utils": {
            "ExecutionContext": ExecutionContext,
            "get_executing_context": _executing_context(runtime),
        },
        "comfy_execution.progress": {"get_progress_state": lambda: state},
    }


def _executing_context(runtime: Runtime) -> Callable[[], ExecutionContext | None]:
    def get_executing_context() -> ExecutionContext | None:
        """What runs; None between nodes."""
        now = runtime.context
        return ExecutionContext(now.job_id, now.node_id, now.call_number) if now.node_id else None

    return get_executing_context
