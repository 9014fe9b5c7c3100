"""New files are numbered, whole, and inside their folder."""

import errno
import os
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from nodes.files import NumberedFiles, expand_prefix, fingerprint_of
from nodes.paths import UnsafeNameError


def write_x(file: BinaryIO) -> None:
    file.write(b"x")


def test_numbers_go_on_after_the_highest_there(tmp_path: Path) -> None:
    (tmp_path / "cat_00041_.png").touch()
    (tmp_path / "cat_other_00099_.png").touch()
    files = NumberedFiles(tmp_path, "cat")
    assert [files.write(".png", write_x) for _ in range(2)] == ["cat_00042_.png", "cat_00043_.png"]


def test_a_prefix_may_hold_subfolders(tmp_path: Path) -> None:
    files = NumberedFiles(tmp_path, "a/b/cat")
    assert files.write(".png", write_x) == "cat_00001_.png"
    assert files.subfolder == "a/b"
    assert (tmp_path / "a/b/cat_00001_.png").read_bytes() == b"x"


@pytest.mark.parametrize("prefix", ["../cat", "/etc/cat", "a/../../cat"])
def test_a_prefix_that_leads_out_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(UnsafeNameError):
        NumberedFiles(tmp_path / "output", prefix)


def test_a_name_taken_in_between_is_not_overwritten(tmp_path: Path) -> None:
    files = NumberedFiles(tmp_path, "cat")
    (tmp_path / "cat_00001_.png").write_bytes(b"theirs")
    assert files.write(".png", write_x) == "cat_00002_.png"
    assert (tmp_path / "cat_00001_.png").read_bytes() == b"theirs"


def test_disks_without_hard_links_hold_whole_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: object, target: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    files = NumberedFiles(tmp_path, "cat")
    (tmp_path / "cat_00001_.png").write_bytes(b"theirs")
    assert files.write(".png", write_x) == "cat_00002_.png"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "cat_00001_.png": b"theirs",
        "cat_00002_.png": b"x",
    }


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        NumberedFiles(tmp_path, "cat").write(".png", fail)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_prefix_still_gives_a_name(tmp_path: Path) -> None:
    assert NumberedFiles(tmp_path, "").write(".png", write_x) == "_00001_.png"


def test_known_placeholders_are_replaced_and_others_stay() -> None:
    assert expand_prefix("%width%x%height%_%batch_num%", 640, 480) == "640x480_%batch_num%"


def test_what_was_never_finished_goes_after_an_hour(tmp_path: Path) -> None:
    old, new, foreign = (tmp_path / name for name in (".cat.1.1.part", ".cat.2.1.part", "cat.part"))
    for file in (old, new, foreign):
        file.write_bytes(b"half")
    for file in (old, foreign):
        os.utime(file, (0, 0))
    NumberedFiles(tmp_path, "dog")
    assert sorted(tmp_path.iterdir()) == [new, foreign]


def test_another_file_of_the_same_size_and_time_has_another_identity(tmp_path: Path) -> None:
    file, other = tmp_path / "cat.bmp", tmp_path / "dog.bmp"
    for path in (file, other):
        path.write_bytes(path.name.encode())
        os.utime(path, (5, 5))
    before = fingerprint_of(file)
    assert fingerprint_of(file) == before
    deadline = time.monotonic() + 10
    while other.stat().st_ctime_ns == file.stat().st_ctime_ns and time.monotonic() < deadline:
        os.utime(other, (5, 5))
    other.replace(file)
    assert fingerprint_of(file) != before
