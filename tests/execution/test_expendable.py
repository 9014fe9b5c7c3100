"""A worker ends with its server at every moment of its start, and starts whatever else the server has open."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from execution.events import JobSucceeded
from tests.execution.conftest import Watched
from tests.execution.graphs import shown

BEGIN = (
    "import sys, time; from execution.expendable import be_expendable; be_expendable(int(sys.argv[1])); time.sleep(60)"
)


def test_a_worker_whose_server_has_ended_before_it_begins_ends_at_once() -> None:
    theirs, ours = os.pipe()
    os.close(ours)
    ended = subprocess.run(
        [sys.executable, "-c", BEGIN, str(theirs)], cwd=Path(__file__).parents[2], pass_fds=[theirs],
        start_new_session=True, timeout=50, check=False,
    )  # fmt: skip
    os.close(theirs)
    assert ended.returncode == -signal.SIGKILL


@pytest.fixture
def much_open() -> Iterator[None]:
    """More open files than `select` can name, as clients make them."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] < 2048:
        pytest.skip("this system lets nobody have so many")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], 2048), limits[1]))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    yield
    for file in files:
        os.close(file)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("much_open")
async def test_a_worker_starts_where_its_server_has_a_thousand_files_open(with_process: Watched) -> None:
    assert isinstance(await with_process.run(shown(1)), JobSucceeded)
