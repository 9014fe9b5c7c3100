"""What is free is measured, and running out of it is explained."""

import pytest
import torch
from torch import nn

from models.memory import NotEnoughMemoryError, explained_out_of_memory, free_bytes, size_in_bytes, total_bytes


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


def test_memory_is_measured() -> None:
    assert size_in_bytes(nn.Linear(10, 10).half()) == 220
    assert 0 < free_bytes(torch.device("cpu")) <= total_bytes()
