"""Opens a model file for reading, told by its content: safetensors, or PyTorch's archive without running any of it."""

import io
import mmap
import os
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import torch
from torch import Tensor

from models.loading.header import Entry, Header, ModelFileError, checked_key, read_header

TORCH_DTYPES = {
    "BOOL": torch.bool, "U8": torch.uint8, "I8": torch.int8, "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2, "I16": torch.int16, "U16": torch.uint16, "F16": torch.float16,
    "BF16": torch.bfloat16, "I32": torch.int32, "U32": torch.uint32, "F32": torch.float32, "I64": torch.int64,
    "U64": torch.uint64, "F64": torch.float64,
}  # fmt: skip

ZIP_MAGIC = b"PK\x03\x04"
PICKLE_MAGIC = b"\x80"
STRANGERS = {
    b"version https://git-lfs": "it is a Git LFS pointer, not the model: fetch it with `git lfs pull`",
    b"GGUF": "it is a GGUF file, which is not supported",
    b"\x89HDF": "it is an HDF5 (Keras) file, which is not supported",
    b"<": "it is a web page or XML, not a model: the download went wrong",
    b"{": "it is a text, not a model",
}
"""How files begin that people take for models."""


WRAPPERS = ("state_dict", "params_ema", "params")
"""Under which names programs put a network's tensors beside other things; an average over training before the last."""


class TensorFile(Protocol):
    """The tensors of an open file. `sizes` are their bytes in the file."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]: ...

    @property
    def sizes(self) -> Mapping[str, int]: ...

    @property
    def metadata(self) -> Mapping[str, str]: ...

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        """Returns a tensor in memory of its own, converted to another precision if one is given."""
        ...

    def reopened(self) -> "AbstractContextManager[TensorFile]":
        """Opens the same file once more, later. Raises ModelFileError if it is not what it was."""
        ...


@dataclass(frozen=True)
class Origin:
    """A file as it was when it was opened: where, how large, when written (nanoseconds)."""

    path: Path
    size: int
    written: int

    @classmethod
    def of(cls, path: Path) -> "Origin":
        """Raises OSError."""
        status = path.stat()
        return cls(path, status.st_size, status.st_mtime_ns)

    @contextmanager
    def opened(self) -> Iterator[TensorFile]:
        """Opens the file. Raises ModelFileError, also if it is another one by now."""
        try:
            found = Origin.of(self.path)
        except OSError as error:
            raise ModelFileError(
                f"{self.path.name} is gone, and the model that was loaded from it is needed again: put it back"
            ) from error
        if found != self:
            raise ModelFileError(
                f"{self.path.name} has changed since the model was loaded from it: queue the workflow again"
            )
        with open_tensors(self.path) as file:
            yield file


@contextmanager
def open_tensors(path: Path) -> Iterator[TensorFile]:
    """Opens a model file. Raises ModelFileError, whose message names the file but not its folder."""
    if not path.is_file():
        raise ModelFileError(f"{path.name} cannot be read: there is no such file")
    try:
        origin = Origin.of(path)
        with path.open("rb") as file:
            tensors = _opened(origin, file)
    except ModelFileError as error:
        raise ModelFileError(f"{path.name} cannot be loaded: {error}") from error.__cause__
    except OSError as error:
        raise ModelFileError(f"{path.name} cannot be read: {error.strerror}") from error
    yield tensors


def _opened(origin: Origin, file: BinaryIO) -> TensorFile:
    size = os.fstat(file.fileno()).st_size
    start = file.read(64)
    file.seek(0)
    if size < 8:
        raise ModelFileError(f"it has only {size} bytes: the download was probably cut off")
    if start[8:9] == b"{":
        return SafetensorsFile(file, read_header(file, size), size, origin)
    if start.startswith(ZIP_MAGIC):
        _check_archive(file)
        return TorchFile(_unpickled(file, origin.path), origin)
    if start.startswith(PICKLE_MAGIC):
        return TorchFile(_unpickled(file, None), origin)
    for beginning, what in STRANGERS.items():
        if start.startswith(beginning):
            raise ModelFileError(what)
    raise ModelFileError("it is neither a safetensors file nor a PyTorch archive")


class SafetensorsFile:
    """A safetensors file, mapped into memory; pages are given back as soon as they are converted."""

    def __init__(self, file: BinaryIO, header: Header, size: int, origin: Origin) -> None:
        self._entries = header.entries
        self._origin = origin
        self._bytes = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)  # torch warns of read-only memory
        self.metadata = header.metadata

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes by key, known from the header."""
        return {key: entry.shape for key, entry in self._entries.items()}

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes in the file by key."""
        return {key: entry.end - entry.start for key, entry in self._entries.items()}

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        """Returns a tensor in memory of its own, converted to another precision if one is given."""
        entry = self._entries[key]
        if entry.start == entry.end:
            return torch.empty(entry.shape, dtype=dtype or TORCH_DTYPES[entry.dtype])
        stored = TORCH_DTYPES[entry.dtype]
        count = (entry.end - entry.start) // stored.itemsize
        mapped = torch.frombuffer(self._bytes, dtype=stored, count=count, offset=entry.start)
        tensor = mapped.reshape(entry.shape).to(dtype or stored, copy=True)
        self._forget(entry)
        return tensor

    def reopened(self) -> AbstractContextManager[TensorFile]:
        """Opens the same file once more. Raises ModelFileError if it is not what it was."""
        return self._origin.opened()

    def _forget(self, entry: Entry) -> None:
        """Lets the system take back the pages that only this tensor's bytes lie on."""
        first = -(-entry.start // mmap.PAGESIZE) * mmap.PAGESIZE
        length = entry.end // mmap.PAGESIZE * mmap.PAGESIZE - first
        if length > 0 and hasattr(mmap, "MADV_DONTNEED"):
            self._bytes.madvise(mmap.MADV_DONTNEED, first, length)


class TorchFile:
    """What `torch.save` wrote, taken in by the reader that makes tensors only."""

    def __init__(self, tensors: Mapping[str, Tensor], origin: Origin) -> None:
        self._tensors = tensors
        self._origin = origin
        self.metadata: Mapping[str, str] = {}

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes by key."""
        return {key: tuple(tensor.shape) for key, tensor in self._tensors.items()}

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes by key."""
        return {key: tensor.numel() * tensor.element_size() for key, tensor in self._tensors.items()}

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        """Returns a tensor in memory of its own, converted to another precision if one is given."""
        tensor = self._tensors[key].detach()
        return tensor.to(dtype or tensor.dtype, copy=True, memory_format=torch.contiguous_format)

    def reopened(self) -> AbstractContextManager[TensorFile]:
        """Opens the same file once more. Raises ModelFileError if it is not what it was."""
        return self._origin.opened()


def _check_archive(file: BinaryIO) -> None:
    """torch.save stores its parts uncompressed: a compressed one is a bomb or not torch's."""
    try:
        with zipfile.ZipFile(file) as archive:
            stored = all(part.compress_type == zipfile.ZIP_STORED for part in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ModelFileError(f"the archive is damaged ({error}): the download was probably cut off") from None
    if not stored:
        raise ModelFileError("it is a compressed archive, which torch.save does not make: unpack it first")
    file.seek(0)


def read_archive(path: Path) -> Any:
    """Returns what torch.save wrote into a file: tensors, numbers and texts in tables and lists, and nothing else.

    Returns None for a file of another kind. Raises ModelFileError.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(ZIP_MAGIC))
            file.seek(0)
            if start.startswith(ZIP_MAGIC):
                _check_archive(file)
                return _content(file, path)
            return _content(file, None) if start.startswith(PICKLE_MAGIC) else None
    except ModelFileError as error:
        raise ModelFileError(f"{path.name} cannot be loaded: {error}") from error.__cause__
    except OSError as error:
        raise ModelFileError(f"{path.name} cannot be read: {error.strerror}") from error


def _unpickled(file: BinaryIO, archive: Path | None) -> dict[str, Tensor]:
    return _state_dict(_content(file, archive))


def _content(file: BinaryIO, archive: Path | None) -> Any:
    """An archive is mapped by its path; one with a safetensors file's name is not: torch would go by the name."""
    mapped = archive if archive is not None and archive.suffix.lower() != ".safetensors" else None
    try:
        return torch.load(mapped or file, map_location="cpu", weights_only=True, mmap=mapped is not None)
    except pickle.UnpicklingError as error:
        raise ModelFileError(f"it holds more than tensors, and that is not run: {_refused(error)}") from None
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError, io.UnsupportedOperation) as error:
        raise ModelFileError(f"the archive is damaged ({str(error)[:120]})") from None


def _refused(error: pickle.UnpicklingError) -> str:
    """Picks what torch's reader met out of its long advice, which would have people switch the reader off."""
    for line in str(error).splitlines():
        if "Unsupported" in line or "GLOBAL" in line:
            return line.split("WeightsUnpickler error:")[-1].strip().split(" was not an allowed")[0][:200]
    return "convert it to safetensors with a tool you trust"


def _state_dict(content: Any) -> dict[str, Tensor]:
    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict) or not content:
        raise ModelFileError("it holds no table of tensors")
    others = [str(key)[:80] for key, value in content.items() if not isinstance(value, Tensor)]
    if others:
        raise ModelFileError(f"it holds something that is no tensor under {', '.join(others[:5])}")
    return {checked_key(key): tensor for key, tensor in content.items()}
