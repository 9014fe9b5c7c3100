"""Opening model files: told by content, read exactly, and never run."""

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from models.loading.files import open_tensors
from models.loading.header import ModelFileError


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


STORED = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.uint8, torch.int64, torch.bool]


@pytest.mark.parametrize("dtype", STORED)
def test_tensors_are_read_as_they_were_saved(dtype: torch.dtype, tmp_path: Path) -> None:
    tensors = {"a.b": torch.arange(5000).to(dtype).reshape(50, 100), "c": torch.ones((), dtype=dtype)}
    save_file(tensors, tmp_path / "x.safetensors", metadata={"made": "here"})
    with open_tensors(tmp_path / "x.safetensors") as file:
        assert file.metadata == {"made": "here"}
        assert file.shapes == {"a.b": (50, 100), "c": ()}
        assert file.sizes == {"a.b": 5000 * dtype.itemsize, "c": dtype.itemsize}
        assert all(torch.equal(file.read(key, dtype), tensor) for key, tensor in tensors.items())
        torch.testing.assert_close(file.read("a.b", torch.float32), tensors["a.b"].float())


def test_what_was_read_does_not_depend_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(10_000)}, path)
    with open_tensors(path) as file:
        tensor = file.read("a", torch.float32)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 40_000)
        file.write(bytes(40_000))
    assert torch.equal(tensor, torch.ones(10_000))


def test_reading_does_not_change_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(10_000)}, path)
    before = path.read_bytes()
    with open_tensors(path) as file:
        file.read("a", torch.float32).zero_()
        assert torch.equal(file.read("a", torch.float32), torch.ones(10_000))
    assert path.read_bytes() == before


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_archive_of_tensors_is_read_whatever_its_name(legacy: bool, wrapped: bool, tmp_path: Path) -> None:
    tensors = {"a.b": torch.arange(6.0).reshape(2, 3).T, "c": torch.ones(3, dtype=torch.float16)}
    content = {"state_dict": tensors, "epoch": 3} if wrapped else tensors
    torch.save(content, tmp_path / "x.safetensors", _use_new_zipfile_serialization=not legacy)
    with open_tensors(tmp_path / "x.safetensors") as file:
        assert file.shapes == {"a.b": (3, 2), "c": (3,)}
        assert torch.equal(file.read("a.b", torch.float32), tensors["a.b"])
        assert file.read("a.b", torch.float32).is_contiguous()


@pytest.mark.parametrize("name", ["x.ckpt", "x.pt", "X.CKPT", "x.safetensors", "x"])
@pytest.mark.parametrize("write", [partial(pickle.dump, protocol=2), torch.save], ids=["pickle", "torch"])
def test_a_payload_is_refused_by_name_and_never_runs(write: Callable[..., None], name: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with (tmp_path / name).open("wb") as file:
        write({"a": Payload(marker)}, file)
    with pytest.raises(ModelFileError, match="mkdir") as refusal, open_tensors(tmp_path / name):
        pass
    assert "weights_only" not in str(refusal.value)
    assert not marker.exists()


def compressed_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", bytes(10_000_000))
    return file.getvalue()


def archive_of(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


STRANGERS = {
    "empty": (b"", "0 bytes"),
    "seven bytes": (b"1234567", "7 bytes"),
    "a web page": (b"<!DOCTYPE html><html>not found</html>", "web page"),
    "a Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
    "GGUF": (b"GGUF" + bytes(100), "GGUF"),
    "JSON": (b'{\n  "model": 1}', "text"),
    "noise": (bytes(range(1, 200)), "neither"),
    "a compressed archive": (compressed_archive(), "compressed"),
    "half an archive": (archive_of({"a": torch.ones(10_000)})[:20_000], "damaged"),
    "an archive of a list": (archive_of([torch.ones(2)]), "no table"),
    "an archive of texts": (archive_of({"a": "text"}), "no tensor under a"),
    "an archive with a dangerous key": (archive_of({"a.__class__": torch.ones(1)}), "no model has"),
    "a safetensors file cut in half": (b"\xff\0\0\0\0\0\0\0{" + bytes(20), "cut off"),
}


@pytest.mark.parametrize(("content", "reason"), STRANGERS.values(), ids=STRANGERS)
def test_what_is_no_model_is_refused_saying_what_it_is(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(ModelFileError, match=reason) as refusal, open_tensors(tmp_path / "x.safetensors"):
        pass
    assert str(refusal.value).startswith("x.safetensors cannot be")
    assert str(tmp_path) not in str(refusal.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    os.mkfifo(tmp_path / "pipe.safetensors")
    for name in ("folder.safetensors", "pipe.safetensors", "missing.safetensors"):
        with pytest.raises(ModelFileError, match="no such file"), open_tensors(tmp_path / name):
            pass
