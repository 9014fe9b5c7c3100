"""Names from outside become paths inside their folder, or an error that says why."""

import os
from pathlib import Path

import pytest

from nodes.paths import (
    ExtraFolder,
    FileMissingError,
    PathError,
    Paths,
    UnknownFolderError,
    UnsafeNameError,
    files_below,
    resolve,
)


def touch(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths.below(tmp_path / "data", tmp_path / "bundled")
    paths.prepare()
    return paths


@pytest.mark.parametrize(
    "name", ["a.png", "sub/a.png", "sub//a.png", "./a.png", "sub\\a.png", "ä 日本 (1).png", "a..b.png"]
)
def test_a_relative_name_stays_inside(tmp_path: Path, name: str) -> None:
    assert resolve(tmp_path, name).is_relative_to(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../a.png",
        "sub/../../a.png",
        "..",
        "..\\a.png",
        "/etc/passwd",
        "\\\\host\\share",
        "C:\\a.png",
        "c:a.png",
        "a\0.png",
        "a\n.png",
        "\u202egnp.exe",
        "\ud800.png",
        "x" * 300,
        "a/" * 40 + "a",
        "日" * 400,
    ],
)
def test_a_name_that_leads_elsewhere_or_cannot_exist_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeNameError) as caught:
        resolve(tmp_path, name)
    assert str(tmp_path) not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_link_out_of_the_folder_is_refused(paths: Paths, tmp_path: Path) -> None:
    touch(tmp_path / "secret" / "canary.png")
    (paths.input / "link").symlink_to(tmp_path / "secret")
    (paths.input / "link.png").symlink_to(tmp_path / "secret" / "canary.png")
    for name in ("link/canary.png", "link.png"):
        with pytest.raises(UnsafeNameError):
            paths.user_file(name)


def test_a_sibling_with_the_same_prefix_is_outside(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    touch(tmp_path / "input-evil" / "x.png")
    (tmp_path / "input" / "x").symlink_to(tmp_path / "input-evil")
    with pytest.raises(UnsafeNameError):
        resolve(tmp_path / "input", "x/x.png")


def test_a_linked_root_is_as_good_as_any(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere" / "x.png")
    (tmp_path / "input").symlink_to(tmp_path / "elsewhere")
    assert resolve(tmp_path / "input", "x.png").is_file()


def test_an_annotated_name_is_looked_for_in_the_folder_it_names(paths: Paths) -> None:
    touch(paths.output / "sub" / "x.png")
    assert paths.user_file("sub/x.png [output]") == paths.output / "sub" / "x.png"
    with pytest.raises(FileMissingError, match="input folder"):
        paths.user_file("sub/x.png")


def test_models_are_listed_once_sorted_with_forward_slashes(paths: Paths) -> None:
    for name in ("b.safetensors", "sub/a.ckpt", ".hidden.safetensors", "notes.txt", "put here"):
        touch(paths.base / "models" / "checkpoints" / name)
    touch(paths.bundled / "models" / "checkpoints" / "b.safetensors", b"other")
    touch(paths.bundled / "models" / "checkpoints" / "weft.safetensors")
    assert paths.model_files("checkpoints") == ["b.safetensors", "sub/a.ckpt", "weft.safetensors"]
    assert paths.model_file("checkpoints", "b.safetensors").read_bytes() == b"x"
    assert paths.model_file("checkpoints", "weft.safetensors").is_relative_to(paths.bundled)


def test_loops_of_links_end(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "x.safetensors")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "self.safetensors").symlink_to(tmp_path / "a" / "self.safetensors")
    assert sorted(files_below(tmp_path)) == ["a/x.safetensors"]


def test_models_may_be_linked_from_elsewhere(paths: Paths, tmp_path: Path) -> None:
    target = touch(tmp_path / "disk" / "big.safetensors")
    (paths.base / "models" / "checkpoints" / "linked.safetensors").symlink_to(target)
    assert paths.model_files("checkpoints") == ["linked.safetensors"]
    assert paths.model_file("checkpoints", "linked.safetensors").is_file()


@pytest.mark.parametrize("name", ["../x.safetensors", "/etc/passwd", "missing.safetensors", "", "."])
def test_a_model_that_is_not_there_is_an_error(paths: Paths, name: str) -> None:
    touch(paths.base / "models" / "x.safetensors")
    with pytest.raises(PathError):
        paths.model_file("checkpoints", name)


def test_older_names_of_folders_still_work(paths: Paths) -> None:
    touch(paths.base / "models" / "unet" / "flux.safetensors")
    assert paths.model_files("diffusion_models") == paths.model_files("unet") == ["flux.safetensors"]
    with pytest.raises(UnknownFolderError):
        paths.model_files("no such folder")


def test_extra_folders_come_before_or_after_our_own(tmp_path: Path) -> None:
    extra = [ExtraFolder("checkpoints", tmp_path / "first", first=True), ExtraFolder("clip", tmp_path / "last")]
    paths = Paths.below(tmp_path / "data", tmp_path / "bundled", extra=[*extra, ExtraFolder("own", tmp_path / "own")])
    assert paths.models["checkpoints"][0] == tmp_path / "first"
    assert paths.models["text_encoders"][-2:] == (tmp_path / "last", tmp_path / "bundled/models/text_encoders")
    assert paths.models["own"][0] == tmp_path / "own"


def test_input_files_are_pictures_of_the_top_level(paths: Paths) -> None:
    for name in ("b.PNG", "a.jpg", "notes.txt", "sub/c.png", ".part.png"):
        touch(paths.input / name)
    assert paths.choices("input") == ["a.jpg", "b.PNG"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    with pytest.raises(PermissionError):
        Paths.below(tmp_path / "data", tmp_path / "bundled").prepare()


def test_emptying_the_temporary_folder_leaves_what_links_lead_to(tmp_path: Path) -> None:
    paths = Paths.below(tmp_path / "base", tmp_path / "bundled")
    paths.prepare()
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "x.png").touch()
    (paths.temp / "deep").mkdir()
    (paths.temp / "deep" / "y.png").touch()
    (paths.temp / "link").symlink_to(kept)
    paths.empty_temp()
    assert list(paths.temp.iterdir()) == []
    assert (kept / "x.png").exists()
