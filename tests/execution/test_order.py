"""Which of the nodes that can run comes first."""

import pytest

from tests.execution.bench import bench, spec
from tests.execution.graphs import graph


async def later(x: object = None) -> object:
    return x


NODES = (
    spec("Make", lambda value: value, "value"),
    spec("Pass", lambda x: x, "x"),
    spec("Later", later, "x", optional="x"),
)


@pytest.mark.parametrize(
    ("document", "targets", "order"),
    [
        pytest.param(
            graph(a=("Make", {"value": 1}), b=("Pass", {"x": ["a", 0]}), c=("Pass", {"x": ["b", 0]}),
                  d=("Pass", {"x": ["c", 0]}), far=("Show", {"x": ["d", 0]}),
                  m=("Make", {"value": 2}), near=("Show", {"x": ["m", 0]})),
            "far near", "m near a b c d far", id="what feeds an output before what is farther from one",
        ),
        pytest.param(
            graph(a=("Make", {"value": 1}), one=("Show", {"x": ["a", 0]}), b=("Make", {"value": 2}),
                  two=("Show", {"x": ["b", 0]})),
            "one two", "a one b two", id="an output as soon as it can",
        ),
        pytest.param(
            graph(a=("Make", {"value": 1}), one=("Show", {"x": ["a", 0]}), s=("Later", {}),
                  p=("Pass", {"x": ["s", 0]}), two=("Show", {"x": ["p", 0]})),
            "one two", "s a one p two", id="an asynchronous node first",
        ),
        pytest.param(
            graph(two=("Show", {"x": ["b", 0]}), one=("Show", {"x": ["a", 0]}), b=("Make", {"value": 2}),
                  a=("Make", {"value": 1})),
            "one two", "a one b two", id="targets in the order in which they are wanted",
        ),
    ],
)  # fmt: skip
def test_the_order_is_the_same_at_every_run(document: dict, targets: str, order: str) -> None:
    for _ in range(3):
        board = bench(*NODES)
        board.run(document, *targets.split())
        assert board.started() == order.split()
