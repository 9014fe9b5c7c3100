"""The page about patches names every method."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_names_every_method() -> None:
    table = (ROOT / "docs" / "model-patches.md").read_text(encoding="utf-8").partition("## What can be changed")[2]
    files = {path.stem for path in (ROOT / "models" / "patches").glob("*.py")} - {"__init__"}
    assert files <= set(re.findall(r"`(\w+)`", table))
