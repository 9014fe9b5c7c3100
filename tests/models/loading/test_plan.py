"""Parameters that lie together in one tensor of a file."""

import pytest
import torch
from torch import Tensor

from models.loading.plan import Reader
from models.loading.sources import Source
from tests.models.loading.test_joined import FakeFile

FUSED = torch.arange(12.0).reshape(6, 2)


class Counted(FakeFile):
    """A file that counts how often it is read."""

    def __init__(self) -> None:
        super().__init__({"fused": FUSED, "other": torch.ones(4)})
        self.reads: list[str] = []

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        self.reads.append(key)
        return super().read(key, dtype)


def test_they_are_read_once_and_told_as_one() -> None:
    file, told = Counted(), list[float]()
    sources = [Source("fused", part, 3) for part in range(3)] + [Source("other")]
    read = Reader(file, sources, told.append)
    parts = [read(source, (torch.float32,)) for source in sources]
    assert file.reads == ["fused", "other"]
    assert told == pytest.approx([48 / 64, 1.0])
    assert torch.equal(torch.cat(parts[:3]), FUSED)


def test_each_has_memory_of_its_own() -> None:
    read = Reader(Counted(), [Source("fused", part, 3) for part in range(3)])
    first, second = (read(Source("fused", part, 3), (torch.float32,)) for part in (0, 1))
    first.zero_()
    assert torch.equal(second, FUSED[2:4])
    assert first.untyped_storage().data_ptr() != second.untyped_storage().data_ptr()


def test_a_matrix_may_be_turned_or_stand_for_a_convolution() -> None:
    read = Reader(Counted(), [Source("fused")])
    turned = Source("fused", transposed=True)
    convolution = Source("fused", unsqueezed=True)
    for source, expected in ((turned, FUSED.T), (convolution, FUSED[..., None, None])):
        found = read(source, (torch.float32,))
        assert torch.equal(found, expected)
        assert found.is_contiguous()
        assert source.shape({"fused": (6, 2)}) == found.shape
