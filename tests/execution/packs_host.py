"""A host that loads packs as the real one does, beside fake nodes and without torch."""

from nodes.context import Home
from nodes.v1.packs import find_packs, load_packs
from tests.execution import fake_nodes
from tests.execution.fake_host import FakeHost

HOST = "tests.execution.packs_host:load"


def load(home: Home) -> FakeHost:
    roots = [home.paths.custom_nodes]
    failures = load_packs(find_packs(roots, lambda name: True), roots, home).failures
    home.loading("")
    return FakeHost(fake_nodes.load(), failures)
