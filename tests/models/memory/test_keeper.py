"""Who lies on the card, in the machine's memory and in the file, and who makes room for whom."""

import gc

import pytest
import torch
from torch import nn

from models.memory import DeviceMemory, MachineMemory, NotEnoughMemoryError, Resident
from tests.models.memory.fakes import PLENTY, FakeCard, File, linear, processor


def use(*residents: Resident[nn.Linear]) -> None:
    for resident in residents:
        with resident.on_device():
            pass


def places(*residents: Resident[nn.Linear]) -> list[str]:
    return [resident.place for resident in residents]


def test_a_network_stays_on_the_card_after_its_use() -> None:
    network = linear(FakeCard(8000).memory())
    assert network.place == "machine"
    use(network)
    assert network.place == "card"


def test_the_network_used_longest_ago_makes_room_on_the_card() -> None:
    memory = FakeCard(8000).memory()
    a, b, c = linear(memory), linear(memory), linear(memory)
    use(a, b, a, c)
    assert places(a, b, c) == ["card", "machine", "card"]


def test_what_is_reserved_on_the_card_stays_free() -> None:
    card = FakeCard(10_000)
    memory = card.memory(reserve=3000)
    a, b = linear(memory), linear(memory)
    use(a, b)
    assert places(a, b) == ["machine", "card"]
    assert card.taken == 4000


def test_a_network_in_use_is_not_sent_away() -> None:
    memory = FakeCard(4000).memory()
    a, b = linear(memory), linear(memory)
    with a.on_device():
        use(b)
        assert places(a, b) == ["card", "machine"]


def test_networks_are_never_sent_home_where_the_card_is_large() -> None:
    memory = FakeCard(4000).memory(mode="high")
    a, b = linear(memory), linear(memory)
    use(a, b)
    assert places(a, b) == ["file", "card"]
    use(a)
    assert places(a, b) == ["card", "file"]


def test_a_network_that_cannot_be_read_again_is_sent_home_in_any_case() -> None:
    memory = FakeCard(4000).memory(mode="high")
    a, b = linear(memory, from_file=False), linear(memory)
    use(a, b)
    assert places(a, b) == ["machine", "card"]


def test_a_network_nobody_holds_any_more_takes_no_memory() -> None:
    memory = processor()
    network = linear(memory)
    assert memory.machine.bytes == 4000
    del network
    gc.collect()
    assert memory.machine.bytes == 0


def test_on_the_processor_the_network_used_longest_ago_is_let_go() -> None:
    memory = processor(budget=8000)
    a, b = linear(memory), linear(memory)
    use(b, a)
    memory.machine.make_room(4000)
    assert places(a, b) == ["machine", "file"]
    use(b)
    assert places(a, b) == ["machine", "machine"]


def test_two_networks_in_turn_take_no_more_than_the_budget() -> None:
    memory = processor(budget=5000)
    a = linear(memory)
    memory.machine.make_room(4000)
    b = linear(memory)
    for _ in range(5):
        use(a)
        assert memory.machine.bytes == 4000
        use(b)
        assert memory.machine.bytes == 4000


def test_what_is_let_go_comes_back_bit_for_bit() -> None:
    memory = processor(budget=4000)
    network = nn.Linear(1000, 1, bias=False)
    before = network.weight.detach().clone()
    resident = Resident(network, torch.float32, memory, File(network))
    memory.machine.make_room(4000)
    assert network.weight.is_meta
    with resident.on_device() as present:
        assert torch.equal(present.weight, before)


def test_a_network_larger_than_the_budget_is_let_in_alone() -> None:
    memory = processor(budget=5000)
    small, large = linear(memory), linear(memory, 10_000)
    memory.machine.make_room(40_000)
    assert places(small, large) == ["file", "file"]
    use(large)
    assert places(small, large) == ["file", "machine"]


def test_too_little_memory_is_told_before_anything_is_read() -> None:
    machine = MachineMemory(PLENTY, free=lambda: 100)
    with pytest.raises(NotEnoughMemoryError, match="close other programs"):
        machine.make_room(4000)


def layers(memory: DeviceMemory) -> Resident[nn.Sequential]:
    network = nn.Sequential(nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 100), nn.LayerNorm(100))
    return Resident(network, torch.float32, memory, File(network))


def test_a_network_too_large_for_the_card_comes_layer_by_layer() -> None:
    card = FakeCard(50_000)
    resident = layers(card.memory())
    x = torch.randn(2, 100)
    with resident.on_device() as network:
        result = network(x)
    assert card.taken == 0
    assert 40_000 < card.most < 50_000  # one layer at a time
    assert resident.place == "machine"
    with layers(processor()).on_device() as other:
        other.load_state_dict(network.state_dict())
        assert torch.equal(other(x), result)


def test_without_a_use_for_its_memory_every_network_comes_layer_by_layer() -> None:
    card = FakeCard(PLENTY)
    resident = layers(card.memory(mode="none"))
    with resident.on_device() as network:
        assert card.taken == 0
        network(torch.randn(2, 100))
        assert card.taken == 0
    assert card.most > 0


def test_a_layer_that_fails_leaves_nothing_on_the_card() -> None:
    card = FakeCard(50_000)
    with layers(card.memory()).on_device() as network, pytest.raises(RuntimeError, match="shapes"):
        network(torch.randn(2, 7))
    assert card.taken == 0
