"""Workers are spread over the devices there are, and what they tell of them is put together."""

from pathlib import Path
from typing import Any

import pytest

from execution import devices
from execution.devices import Device, as_seen_by, combined, cuda_devices, environment_of
from execution.engines.crew import crew
from execution.messages import WorkerSetup
from nodes.paths import Paths

TWO = [Device(0, "0"), Device(1, "1")]


def card(index: int, **memory: int) -> dict[str, Any]:
    return {"name": f"cuda:{index} H100", "type": "cuda", "index": index, "vram_total": 80, **memory}


@pytest.mark.parametrize(
    ("count", "found", "expected"),
    [(None, [], [None]), (None, TWO, [0, 1]), (1, TWO, [0]), (3, TWO, [0, 1, 0]), (2, [], [None, None])],
)
def test_workers_are_spread_over_the_devices(
    setup: WorkerSetup, count: int | None, found: list[Device], expected: list[int | None]
) -> None:
    setups = crew(setup, count, found)
    assert [one.device and one.device.number for one in setups] == expected


def test_workers_without_a_gpu_share_the_processors(setup: WorkerSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert [one.threads for one in crew(setup, 3, [])] == [2, 2, 2]
    assert [one.threads for one in crew(setup, 1, [])] == [0]
    assert environment_of(None, 2) == {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    assert environment_of(Device(1, "GPU-abc"), 0)["CUDA_VISIBLE_DEVICES"] == "GPU-abc"


def test_gpus_are_those_that_the_program_may_see(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(devices, "version", lambda package: "2.13.0+cu130")
    monkeypatch.setattr(devices, "DEV", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert cuda_devices() == []
    for name in ("nvidia3", "nvidia5", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert cuda_devices() == TWO, "CUDA counts those it sees from 0"
    assert cuda_devices({1, 7}) == TWO[1:]
    assert environment_of(TWO[1], 0) == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-abc,3")
    assert cuda_devices() == [Device(0, "GPU-abc"), Device(1, "3")]
    assert environment_of(Device(1, "3"), 0) == {"CUDA_VISIBLE_DEVICES": "3"}, "the order stays as it was chosen"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert cuda_devices() == []


def test_a_torch_without_cuda_means_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(devices, "version", lambda package: "2.13.0+cpu")
    assert cuda_devices() == []


def test_every_device_is_told_once_under_its_own_number() -> None:
    told = [as_seen_by(device, {"devices": [card(0)], "pytorch_version": "2"}) for device in (TWO[1], TWO[0], TWO[1])]
    together = combined(told)
    assert [one["name"] for one in together["devices"]] == ["cuda:0 H100", "cuda:1 H100"]
    assert together["pytorch_version"] == "2"


def test_a_worker_that_has_told_nothing_yet_still_has_its_device() -> None:
    [starting] = combined([as_seen_by(TWO[1], {})])["devices"]
    assert (starting["name"], starting["type"], starting["vram_total"]) == ("cuda:1", "cuda", 0)
    assert combined([as_seen_by(None, {})]) == {}


def test_a_worker_that_finds_no_driver_tells_of_the_processor() -> None:
    processor = {"name": "cpu", "type": "cpu", "index": None}
    assert combined([as_seen_by(one, {"devices": [processor]}) for one in TWO])["devices"] == [processor]


@pytest.fixture
def setup(tmp_path: Path) -> WorkerSetup:
    return WorkerSetup(Paths.below(tmp_path, tmp_path))
