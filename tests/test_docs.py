"""The pages tell what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "bundled" / "README.md", *(ROOT / "docs").glob("*.md")]
NAMED = re.compile(r"`((?:models|nodes|execution|web|training|benchmarks|tests|docs|bundled)/[\w./-]*)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    missing = [
        name
        for name in NAMED.findall(page.read_text(encoding="utf-8"))
        if not ((ROOT / name).exists() or (page.parent / name).exists())
    ]
    assert not missing
