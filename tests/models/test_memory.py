"""Which device and precision, who stays on the device, and what is kept loaded."""

import gc

import pytest
import torch
from torch import nn

from models.memory import (
    ACTIVATIONS,
    DeviceMemory,
    DevicePolicy,
    Kept,
    NotEnoughMemoryError,
    Resident,
    explained_out_of_memory,
    free_bytes,
    size_in_bytes,
    total_bytes,
)

CARD = torch.device("cuda")
HOME = torch.device("cpu")


class Card:
    """A graphics card that only counts; its networks tell it where they are."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.memory = DeviceMemory(CARD, free=lambda device: self.size - self.taken())
        self.at: dict[str, torch.device] = {}
        self.bytes: dict[str, int] = {}

    def taken(self) -> int:
        return sum(self.bytes[name] for name, device in self.at.items() if device == CARD)

    def network(self, name: str, numbers: int) -> Resident[nn.Module]:
        card = self

        class Counted(Resident[nn.Module]):
            def move(self, device: torch.device) -> None:
                card.at[name] = device

        resident = Counted(nn.Linear(numbers, 1, bias=False), torch.float32, self.memory)
        self.at[name], self.bytes[name] = HOME, resident.bytes
        return resident


def use(resident: Resident[nn.Module]) -> None:
    with resident.on_device():
        pass


def test_a_network_stays_on_the_card_after_its_use() -> None:
    card = Card(ACTIVATIONS + 8000)
    network = card.network("a", 1000)
    assert card.at["a"] == HOME
    use(network)
    assert card.at["a"] == CARD


def test_the_network_used_longest_ago_makes_room() -> None:
    card = Card(ACTIVATIONS + 8000)
    a, b, c = (card.network(name, 1000) for name in "abc")
    for network in (a, b, a, c):
        use(network)
    assert card.at == {"a": CARD, "b": HOME, "c": CARD}


def test_a_network_in_use_is_not_sent_away() -> None:
    card = Card(ACTIVATIONS + 4000)
    a, b = card.network("a", 1000), card.network("b", 1000)
    with a.on_device():
        use(b)
        assert card.at["a"] == CARD


def test_a_network_nobody_holds_any_more_is_forgotten() -> None:
    card = Card(ACTIVATIONS + 4000)
    network = card.network("a", 1000)
    use(network)
    del network
    gc.collect()
    use(card.network("b", 1000))
    assert card.at["a"] == CARD  # nobody moved what is gone


def test_on_the_processor_nothing_is_moved() -> None:
    network = nn.Linear(2, 2)
    with Resident(network, torch.float32, DeviceMemory(HOME)).on_device() as present:
        assert present is network


def test_running_out_of_memory_is_explained() -> None:
    for error in (
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ):
        with (
            pytest.raises(NotEnoughMemoryError, match="not enough memory for decoding"),
            explained_out_of_memory("decoding"),
        ):
            raise error
    with pytest.raises(RuntimeError, match="shapes differ"), explained_out_of_memory("decoding"):
        raise RuntimeError("shapes differ")


def test_the_processor_computes_in_float32_unless_told_otherwise() -> None:
    assert DevicePolicy.choose(cpu=True).device == HOME
    assert DevicePolicy.choose(cpu=True).unet_dtype == torch.float32
    assert DevicePolicy.choose(cpu=True).vae_dtype == torch.float32
    forced = DevicePolicy.choose(cpu=True, force_fp16=True)
    assert (forced.unet_dtype, forced.vae_dtype, forced.text_dtype) == (torch.float16, torch.float32, torch.float32)


def test_a_card_computes_in_half_precision_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    policy = DevicePolicy.choose()
    assert policy.device == torch.device("cuda", 0)
    assert (policy.unet_dtype, policy.vae_dtype) == (torch.float16, torch.bfloat16)
    forced = DevicePolicy.choose(force_fp32=True)
    assert (forced.unet_dtype, forced.vae_dtype) == (torch.float32, torch.float32)
    assert DevicePolicy.choose(cpu=True).device == HOME


def test_flags_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        DevicePolicy.choose(force_fp32=True, force_fp16=True)


def test_memory_is_measured() -> None:
    assert size_in_bytes(nn.Linear(10, 10).half()) == 220
    assert 0 < free_bytes(HOME) <= total_bytes()


def text_of(length: int) -> str:
    return "x" * length


def test_the_value_used_longest_ago_goes_first() -> None:
    kept: Kept[str] = Kept(budget=10, measure=len)
    made: list[str] = []

    def get(key: str, size: int) -> str:
        def make() -> str:
            made.append(key)
            return text_of(size)

        return kept.get(key, size, make)

    for key in ("a", "b", "a", "c", "a", "b"):
        get(key, 4)
    assert made == ["a", "b", "c", "b"]


def test_room_is_made_before_a_value_is_made() -> None:
    kept: Kept[str] = Kept(budget=10, measure=len)
    kept.get("a", 8, lambda: text_of(8))
    kept.get("b", 8, lambda: text_of(8) if not kept._values else "too late")
    assert kept.get("b", 8, lambda: "forgotten") == text_of(8)


def test_a_value_larger_than_the_budget_is_kept_alone() -> None:
    kept: Kept[str] = Kept(budget=10, measure=len)
    kept.get("small", 4, lambda: text_of(4))
    large = kept.get("large", 4, lambda: text_of(40))
    assert kept.get("large", 4, lambda: "again") is large
    assert kept.get("small", 4, lambda: "again") == "again"
