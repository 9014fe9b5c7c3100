"""A host of fake nodes that writes down when it is imported and when its nodes are loaded, and by which process."""

import os

from nodes.context import Home
from tests.execution import fake_host

TRACE = "WEFT_TEST_TRACE"
HOST = "tests.execution.traced_host:load"


def _note(what: str) -> None:
    with open(os.environ[TRACE], "a") as file:
        file.write(f"{what} {os.getpid()}\n")


def load(home: Home) -> fake_host.FakeHost:
    _note("load")
    return fake_host.load()


if TRACE in os.environ:
    _note("import")
