"""Node functions that are coroutines."""

import asyncio
import threading
from typing import Any

import pytest

from execution.events import JobFailed, JobInterrupted, JobSucceeded
from nodes.context import Context
from nodes.spec import Expansion
from tests.execution.bench import bench, spec
from tests.execution.graphs import graph


class Meeting:
    """Calls of a node that each wait until so many wait together; one after the other they would wait in vain."""

    def __init__(self, many: int) -> None:
        self._missing = many

    async def attend(self, value: Any) -> Any:
        self._missing -= 1
        async with asyncio.timeout(30):
            while self._missing > 0:
                await asyncio.sleep(0.001)
        return value


async def wait(value: Any) -> Any:
    await asyncio.sleep(0.01)
    return value


WAIT = spec("Wait", wait, "value")
ADD = spec("Add", lambda a, b: a + b, "a b")


def test_coroutines_wait_together() -> None:
    add_up = spec("Sum", lambda **values: sum(values.values()), "", open_inputs=True)
    board = bench(spec("Meet", Meeting(20).attend, "value"), add_up)
    document = {str(n): {"class_type": "Meet", "inputs": {"value": n}} for n in range(20)}
    document |= graph(sum=("Sum", {f"v{n}": [str(n), 0] for n in range(20)}), out=("Show", {"x": ["sum", 0]}))
    assert isinstance(board.run(document), JobSucceeded)
    assert board.shown() == [sum(range(20))]


def test_other_nodes_run_while_a_coroutine_waits() -> None:
    ran = threading.Event()

    async def until_ran() -> bool:
        while not ran.is_set():
            await asyncio.sleep(0.001)
        return True

    board = bench(spec("Until", until_ran), spec("Set", lambda: ran.set()), ADD)
    document = graph(u=("Until", {}), a=("Show", {"x": ["u", 0]}), s=("Set", {}), b=("Show", {"x": ["s", 0]}))
    assert isinstance(board.run(document, "a", "b"), JobSucceeded)
    assert board.started().index("u") < board.started().index("s")


def test_the_elements_of_a_list_wait_together() -> None:
    board = bench(spec("Meet", Meeting(20).attend, "value"), spec("Many", lambda: list(range(20)), lists="out"))
    board.run(graph(m=("Many", {}), w=("Meet", {"value": ["m", 0]}), out=("Show", {"x": ["w", 0]})))
    assert board.shown() == list(range(20))


def test_a_coroutine_may_expand() -> None:
    async def expand() -> Any:
        return Expansion((["w", 0],), graph(w=("Wait", {"value": 5})))

    board = bench(WAIT, spec("Expand", expand))
    board.run(graph(e=("Expand", {}), out=("Show", {"x": ["e", 0]})))
    assert board.shown() == [5]


def test_an_error_in_a_coroutine_names_its_node_and_ends_the_others() -> None:
    ended: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("no")

    async def never() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("never")

    board = bench(spec("Fail", fail), spec("Never", never))
    outcome = board.run(
        graph(f=("Fail", {}), n=("Never", {}), a=("Show", {"x": ["f", 0]}), b=("Show", {"x": ["n", 0]})), "a", "b"
    )
    assert isinstance(outcome, JobFailed)
    assert (outcome.node_id, outcome.message) == ("f", "no")
    assert "in fail" in outcome.traceback[0]
    assert ended == ["never"]


@pytest.mark.parametrize("in_node", [False, True], ids=["while waiting", "at a step of the node"])
def test_an_interrupt_reaches_coroutines(in_node: bool) -> None:
    ended_by: list[type[BaseException]] = []

    async def work(context: Context) -> None:
        try:
            for step in range(1000):
                await asyncio.sleep(0.01 if in_node else 60)
                context.progress(step, 1000, None)
        except BaseException as error:
            ended_by.append(type(error))
            raise

    board = bench(spec("Work", work, context_parameter="context"))
    threading.Timer(0.1, board.stopped.add, ["job"]).start()
    outcome = board.run(graph(w=("Work", {}), out=("Show", {"x": ["w", 0]})))
    assert isinstance(outcome, JobInterrupted)
    assert outcome.node_id == "w"
    assert len(ended_by) == 1
    assert in_node or ended_by == [asyncio.CancelledError], "it has not slept for its sixty seconds"
