"""What a worker's loop does with commands, without a process around it."""

import threading
from queue import SimpleQueue

import pytest

from execution.messages import AskChanges, Changes, Ready, Report, Stop, WorkerSetup
from execution.worker import WorkerLoop
from tests.execution.fake_host import FakeHost


def test_a_pack_that_takes_its_time_over_its_inputs_gets_one_thread_however_often_it_is_asked(
    setup: WorkerSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, reports = threading.Event(), SimpleQueue[Report]()

    def refresh(host: FakeHost) -> dict[str, object]:
        gate.wait()
        return {}

    monkeypatch.setattr(FakeHost, "refresh", refresh)
    asked = list(range(50))
    loop = WorkerLoop(setup, reports.put)
    serving = threading.Thread(target=loop.serve)
    serving.start()
    assert isinstance(reports.get(timeout=50), Ready)
    before = threading.active_count()
    for number in asked:
        loop.take(AskChanges(number))
    assert threading.active_count() <= before + 1
    gate.set()
    assert [reports.get(timeout=50) for _ in asked] == [Changes(number, {}) for number in asked]
    loop.take(Stop())
    serving.join(50)
    assert not serving.is_alive()
