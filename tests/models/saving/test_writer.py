"""What is written is a safetensors file that others read, tensor by tensor."""

import io
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from models.loading.files import open_tensors
from models.saving.writer import Stored, UnstorableWeightsError, write


def test_tensors_and_notes_are_what_the_library_and_we_read(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    half, exact, empty = torch.randn(3, 4), torch.randn(2), torch.empty(0)
    with path.open("wb") as file:
        tensors = {"a.weight": Stored.of(half), "b": Stored.of(exact, torch.float32), "flag": Stored.of(empty)}
        write(file, tensors, {"title": "그림"})
    with safe_open(path, framework="pt") as read:
        assert read.metadata() == {"title": "그림"}
        assert torch.equal(read.get_tensor("a.weight"), half.half())
        assert torch.equal(read.get_tensor("b"), exact)
    with open_tensors(path) as ours:
        assert dict(ours.shapes) == {"a.weight": (3, 4), "b": (2,), "flag": (0,)}
        assert torch.equal(ours.read("b"), exact)


def test_each_tensor_is_made_when_its_turn_comes() -> None:
    made: list[str] = []

    def make(name: str) -> Tensor:
        made.append(name)
        return torch.zeros(2)

    def report(fraction: float) -> None:
        assert len(made) == round(fraction * 3)

    write(io.BytesIO(), {name: Stored((2,), lambda name=name: make(name)) for name in "abc"}, {}, report)
    assert made == ["a", "b", "c"]


def test_a_number_that_half_precision_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(UnstorableWeightsError, match="big holds numbers that float16 cannot hold"):
        write(io.BytesIO(), {"big": Stored.of(torch.tensor([1e6]))}, {})
