"""Weights that were let go come back from their file, as long as it is the same."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from models.loading.files import open_tensors
from models.loading.header import ModelFileError
from models.loading.joined import JoinedFile
from models.loading.load import Checkpoint, load_checkpoint
from models.memory import Card, DeviceMemory, DevicePolicy, MachineMemory, Resident
from tests.models.tiny_checkpoint import tiny_weights, write_tiny_checkpoint

FREE = 1 << 40


def policy_with(budget: int) -> DevicePolicy:
    memory = DeviceMemory(Card.of(torch.device("cpu")), MachineMemory(budget, free=lambda: FREE))
    return replace(DevicePolicy.choose(cpu=True), memory=memory)


def residents(checkpoint: Checkpoint) -> Sequence[Resident[Any]]:
    assert checkpoint.clip is not None
    assert checkpoint.vae is not None
    found = (checkpoint.model.unet, checkpoint.clip.encoder, checkpoint.vae.autoencoder)
    assert all(isinstance(one, Resident) for one in found)
    return found  # pyright: ignore[reportReturnType]


def state(resident: Resident[Any]) -> dict[str, torch.Tensor]:
    with resident.on_device() as network:
        return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_weights_that_were_let_go_come_back_bit_for_bit(tiny_file: Path) -> None:
    for resident in residents(load_checkpoint(tiny_file, policy_with(FREE))):
        before = state(resident)
        resident.let_go()
        assert resident.bytes_at_home == 0
        after = state(resident)
        assert before.keys() == after.keys()
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_two_checkpoints_in_turn_take_no_more_than_the_budget(tmp_path: Path) -> None:
    paths = [write_tiny_checkpoint(tmp_path / f"{seed}.safetensors", seed) for seed in range(2)]
    size = sum(tensor.numel() * 4 for tensor in tiny_weights().values())
    policy = policy_with(int(1.5 * size))
    checkpoints = [load_checkpoint(path, policy) for path in paths]
    assert policy.memory.machine.bytes <= 1.5 * size
    for _ in range(3):
        for checkpoint in checkpoints:
            for resident in residents(checkpoint):
                with resident.on_device():
                    assert policy.memory.machine.bytes <= 1.5 * size


def test_a_file_that_has_changed_is_not_taken_for_the_same(tmp_path: Path) -> None:
    path = write_tiny_checkpoint(tmp_path / "x.safetensors", seed=1)
    unet, *_ = residents(load_checkpoint(path, policy_with(FREE)))
    unet.let_go()
    write_tiny_checkpoint(path, seed=2)
    with (
        pytest.raises(ModelFileError, match=r"x\.safetensors has changed"),
        unet.on_device(),
    ):
        pass
    path.unlink()
    with pytest.raises(ModelFileError, match=r"x\.safetensors is gone"), unet.on_device():
        pass


def test_a_file_that_could_not_be_read_again_is_tried_anew(tmp_path: Path) -> None:
    path = write_tiny_checkpoint(tmp_path / "x.safetensors")
    unet, *_ = residents(load_checkpoint(path, policy_with(FREE)))
    before = state(unet)
    unet.let_go()
    path.rename(tmp_path / "y.safetensors")
    with pytest.raises(ModelFileError), unet.on_device():
        pass
    (tmp_path / "y.safetensors").rename(path)
    assert torch.equal(state(unet)["out.2.weight"], before["out.2.weight"])


def test_joined_files_are_opened_again_together(tmp_path: Path) -> None:
    for name in "ab":
        save_file({"x": torch.full((2,), float(ord(name)))}, tmp_path / f"{name}.safetensors")
    with open_tensors(tmp_path / "a.safetensors") as a, open_tensors(tmp_path / "b.safetensors") as b:
        joined = JoinedFile([("a/", a), ("b/", b)])
    with joined.reopened() as again:
        assert again.read("b/x").tolist() == [98.0, 98.0]
