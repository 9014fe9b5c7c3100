"""Several files read as one."""

from collections.abc import Mapping

import torch
from torch import Tensor

from models.loading.joined import JoinedFile


class FakeFile:
    """A file whose tensors are in memory."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors
        self.shapes = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
        self.sizes = {key: tensor.nbytes for key, tensor in tensors.items()}
        self.metadata: Mapping[str, str] = {}

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        return self._tensors[key].to(dtype or self._tensors[key].dtype)

    def reopened(self) -> object:
        raise AssertionError("not asked for")


def test_each_file_stands_behind_its_prefix() -> None:
    joined = JoinedFile([("a.", FakeFile({"x": torch.ones(2)})), ("b.", FakeFile({"x": torch.zeros(3)}))])
    assert joined.shapes == {"a.x": (2,), "b.x": (3,)}
    assert joined.sizes == {"a.x": 8, "b.x": 12}
    assert torch.equal(joined.read("b.x", torch.float16), torch.zeros(3, dtype=torch.float16))


def test_pieces_of_one_network_need_no_prefix() -> None:
    joined = JoinedFile([("", FakeFile({"x": torch.ones(2)})), ("", FakeFile({"y": torch.zeros(3)}))])
    assert joined.shapes.keys() == {"x", "y"}
