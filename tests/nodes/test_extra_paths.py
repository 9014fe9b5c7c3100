"""The YAML file of extra model folders means what it means to ComfyUI."""

from pathlib import Path

import pytest

from nodes.extra_paths import ExtraPathsError, read_extra_paths
from nodes.paths import ExtraFolder

EXAMPLE = """
a111:
    base_path: /models
    is_default: true
    checkpoints: Stable-diffusion
    loras: |
         Lora
         LyCORIS
other:
    vae: more/vae
empty:
"""


def test_sections_give_folders_below_their_base_path(tmp_path: Path) -> None:
    file = tmp_path / "extra.yaml"
    file.write_text(EXAMPLE)
    assert read_extra_paths(file) == [
        ExtraFolder("checkpoints", Path("/models/Stable-diffusion"), first=True),
        ExtraFolder("loras", Path("/models/Lora"), first=True),
        ExtraFolder("loras", Path("/models/LyCORIS"), first=True),
        ExtraFolder("vae", tmp_path / "more/vae"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", "expected sections"),
        ("a: [", "not valid YAML"),
        ("a: {vae: 5}", "must be a path"),
        ("a: x", "section"),
    ],
)
def test_a_file_that_means_nothing_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "extra.yaml"
    file.write_text(text)
    with pytest.raises(ExtraPathsError, match=message):
        read_extra_paths(file)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExtraPathsError, match="cannot be read"):
        read_extra_paths(tmp_path / "none.yaml")
