"""Several files read as one."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

from models.loading.files import TensorFile


class JoinedFile:
    """The tensors of several files, each of which comes with what stands before its keys."""

    def __init__(self, files: Iterable[tuple[str, TensorFile]]) -> None:
        self._files = list(files)
        self._at: dict[str, tuple[TensorFile, str]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.sizes: dict[str, int] = {}
        self.metadata: Mapping[str, str] = {}
        for prefix, file in self._files:
            self._at |= {prefix + key: (file, key) for key in file.shapes}
            self.shapes |= {prefix + key: shape for key, shape in file.shapes.items()}
            self.sizes |= {prefix + key: size for key, size in file.sizes.items()}

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        """Returns a tensor in memory of its own, converted to another precision if one is given."""
        file, name = self._at[key]
        return file.read(name, dtype)

    @contextmanager
    def reopened(self) -> Iterator[TensorFile]:
        """Opens the same files once more. Raises ModelFileError if one is not what it was."""
        with ExitStack() as stack:
            yield JoinedFile((prefix, stack.enter_context(file.reopened())) for prefix, file in self._files)
