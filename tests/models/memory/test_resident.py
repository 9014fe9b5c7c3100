"""Changes of weights: applied in order, undone bit for bit, wherever the network is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.memory import DeviceMemory, Resident
from tests.models.memory.fakes import PLENTY, FakeCard, File, processor

STATUS = Path("/proc/self/status")


@dataclass(frozen=True, eq=False)
class Affine:
    """weight · scale + shift."""

    scale: float
    shift: float
    names: Collection[str] = ("0.weight",)

    def patched(self, name: str, weight: Tensor) -> Tensor:
        assert weight.dtype == torch.float32
        return weight * self.scale + self.shift


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)).half()


MEMORIES = pytest.mark.parametrize(
    "memory",
    [processor, lambda: FakeCard(PLENTY).memory(), lambda: FakeCard(PLENTY).memory(mode="none"),
     lambda: processor(budget=0)],
    ids=["processor", "card", "layer by layer", "no room for originals"],
)  # fmt: skip


def resident_in(memory: DeviceMemory) -> tuple[Resident[nn.Sequential], dict[str, Tensor]]:
    made = network()
    file = File(made)
    return Resident(made, torch.float16, memory, file), file.weights


@MEMORIES
def test_changes_are_undone_bit_for_bit(memory) -> None:
    resident, before = resident_in(memory())
    with resident.on_device([Affine(0.3, 1.7)]):
        pass
    with resident.on_device() as present:
        after = present.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@MEMORIES
def test_changes_are_made_in_order_in_float32(memory) -> None:
    resident, before = resident_in(memory())
    with resident.on_device([Affine(3.0, 0.0), Affine(1.0, 0.1)]) as present:
        changed = present.get_parameter("0.weight")
    assert torch.equal(changed, (before["0.weight"].float() * 3 + 0.1).half())
    with resident.on_device([Affine(1.0, 0.1), Affine(3.0, 0.0)]) as present:
        assert torch.equal(present.get_parameter("0.weight"), ((before["0.weight"].float() + 0.1) * 3).half())


def test_changed_weights_are_rounded_to_the_precision_they_are_stored_in() -> None:
    made = network().float()
    resident = Resident(made, torch.float32, processor(), stored=torch.float16)
    with resident.on_device([Affine(0.3, 1.7)]) as present:
        weight = present.state_dict()["0.weight"]
    assert weight.dtype == torch.float32
    assert torch.equal(weight, weight.half().float())


@MEMORIES
def test_only_what_changes_is_replaced(memory) -> None:
    resident, _ = resident_in(memory())
    with resident.on_device() as present:
        before = present.get_parameter("1.weight").data_ptr()
    with resident.on_device([Affine(2.0, 0.0)]) as present:
        assert present.get_parameter("1.weight").data_ptr() == before


def test_a_block_inside_another_gives_back_what_the_outer_one_asked_for() -> None:
    resident, before = resident_in(processor())
    outer = Affine(2.0, 0.0)
    with resident.on_device([outer]) as present:
        with resident.on_device([Affine(5.0, 0.0)]):
            assert torch.equal(present.get_parameter("0.weight"), (before["0.weight"].float() * 5).half())
        assert torch.equal(present.get_parameter("0.weight"), (before["0.weight"].float() * 2).half())


def test_the_same_changes_are_not_made_twice() -> None:
    resident, _ = resident_in(processor())
    weights = (Affine(2.0, 0.0),)
    with resident.on_device(weights) as present:
        first = present.get_parameter("0.weight").data_ptr()
    with resident.on_device(weights) as present:
        assert present.get_parameter("0.weight").data_ptr() == first


def test_a_change_that_fails_leaves_the_weights_as_they_were() -> None:
    class Failing(Affine):
        def patched(self, name: str, weight: Tensor) -> Tensor:
            raise RuntimeError("no")

    resident, before = resident_in(processor())
    with pytest.raises(RuntimeError, match="no"), resident.on_device([Affine(2.0, 0.0), Failing(1.0, 0.0)]):
        pass
    with resident.on_device() as present:
        assert torch.equal(present.get_parameter("0.weight"), before["0.weight"])


def test_a_change_for_another_network_is_refused() -> None:
    resident, _ = resident_in(processor())
    with pytest.raises(ValueError, match=r"has no 7\.weight"), resident.on_device([Affine(1.0, 0.0, ("7.weight",))]):
        pass


def test_a_parameter_is_told_with_other_changes_than_those_that_are_on() -> None:
    resident, before = resident_in(processor())
    with resident.on_device([Affine(2.0, 0.0)]):
        assert torch.equal(resident.parameter("0.weight"), before["0.weight"].float())
        assert torch.equal(resident.parameter("0.weight", [Affine(1.0, 4.0)]), before["0.weight"].float() + 4)


def test_what_is_kept_to_undo_a_change_counts_as_memory() -> None:
    resident, _ = resident_in(processor())
    assert resident.bytes_at_home == resident.bytes
    with resident.on_device([Affine(2.0, 0.0)]):
        assert resident.bytes_at_home == resident.bytes + 128


@pytest.mark.skipif(not STATUS.is_file(), reason="only Linux tells how much memory a process has")
def test_the_memory_of_what_is_let_go_goes_back_to_the_system() -> None:
    made = nn.Linear(4000, 4000, bias=False)  # 64 MB
    generator = torch.Generator()

    def source(names: Collection[str] | None = None) -> Mapping[str, Tensor]:
        return {"weight": torch.randn(4000, 4000, generator=generator.manual_seed(0))}

    resident = Resident(made, torch.float32, processor(), source)
    before = taken()
    for _ in range(3):
        resident.let_go()
        assert before - taken() > 50e6
        with resident.on_device():
            assert abs(taken() - before) < 10e6


def taken() -> int:
    """Bytes of memory that this process has."""
    line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
