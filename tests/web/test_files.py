"""Names and contents of files that people send."""

import errno
import os
from pathlib import Path

import pytest

from nodes.paths import IMAGE_SUFFIXES, UnsafeNameError
from web.server import files


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("photo.png", "photo.png"),
        ("PHOTO.JPG", "PHOTO.JPG"),
        ("ein Bild (2).webp", "ein Bild (2).webp"),
        ("사진.png", "사진.png"),
        ("a/b\\c.png", "c.png"),
        ("../../evil.png", "evil.png"),
        ("page.html", "page.html.png"),
        ("noend", "noend.png"),
        (".hidden.png", "hidden.png"),
        ("CON.png", "_CON.png"),
        ("nul.tar.png", "_nul.tar.png"),
        ("exe\u202egnp.png", "exegnp.png"),
        ("new\nline\0.png", "newline.png"),
        ("a<b>:c.png", "abc.png"),
        ("trailing. .png", "trailing.png"),
        ("x" * 300 + ".png", "x" * 120 + ".png"),
        ("日" * 100 + ".png", "日" * 40 + ".png"),
        ("e\u0301.png", "\u00e9.png"),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_harmless(given: str, kept: str) -> None:
    assert files.file_name(given, IMAGE_SUFFIXES, ".png") == kept


@pytest.mark.parametrize("given", ["", ".", "..", ".png", "///", " .png", "\0.png"])
def test_a_name_of_which_nothing_is_left_is_refused(given: str) -> None:
    with pytest.raises(UnsafeNameError):
        files.file_name(given, IMAGE_SUFFIXES, ".png")


def test_other_content_gets_a_number_and_the_same_content_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"one")
    (tmp_path / "x (1).png").write_bytes(b"two")
    new = tmp_path / "new"
    for content, name in ((b"one", "x.png"), (b"two", "x (1).png"), (b"new", "x (2).png")):
        new.write_bytes(content)
        assert files.free_name(tmp_path, "x.png", new) == name


def test_a_failed_write_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "settings.json"
    files.write(target, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write(target, b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["settings.json"]


def test_a_file_may_move_to_another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def another_disk(source: str, target: Path) -> None:
        if Path(source).parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(source, target)

    monkeypatch.setattr(os, "replace", another_disk)
    with files.staged(tmp_path / "here") as file:
        file.write(b"content")
        files.publish(file, tmp_path / "there" / "x")
    assert (tmp_path / "there" / "x").read_bytes() == b"content"
    assert os.listdir(tmp_path / "here") == []
    assert os.listdir(tmp_path / "there") == ["x"]
