"""The page about samplers tells of every sampler, and truly whether it adds noise."""

import re
from pathlib import Path

from models.sampling.noise import generated
from models.sampling.samplers.table import SAMPLERS

PAGE = (Path(__file__).parents[3] / "docs" / "samplers.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| (none|drawn|Brownian) \| [^|]+ \|$", re.MULTILINE)


def test_the_page_has_a_row_for_every_sampler_in_their_order() -> None:
    assert [row[0] for row in ROW.findall(PAGE)] == list(SAMPLERS)


def test_the_page_says_where_the_noise_comes_from() -> None:
    def told(name: str) -> str:
        source = SAMPLERS[name].noise
        return "none" if source is None else "drawn" if source is generated else "Brownian"

    assert {row[0]: row[3] for row in ROW.findall(PAGE)} == {name: told(name) for name in SAMPLERS}
