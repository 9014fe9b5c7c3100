"""The page about samplers tells of every sampler, and truly whether it adds noise and what a step costs."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.sampling.noise import generated
from models.sampling.samplers.table import SAMPLERS
from tests.models.sampling import gaussian
from tests.models.sampling.fakes import Both

PAGE = (Path(__file__).parents[3] / "docs" / "samplers.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| (none|drawn|Brownian) \| [^|]+ \|$", re.MULTILINE)


def test_the_page_has_a_row_for_every_sampler_in_their_order() -> None:
    assert [row[0] for row in ROW.findall(PAGE)] == list(SAMPLERS)


def test_the_page_says_where_the_noise_comes_from() -> None:
    def told(name: str) -> str:
        source = SAMPLERS[name].noise
        return "none" if source is None else "drawn" if source is generated else "Brownian"

    assert {row[0]: row[3] for row in ROW.findall(PAGE)} == {name: told(name) for name in SAMPLERS}


@pytest.mark.parametrize(("name", "cost"), [(row[0], int(row[2])) for row in ROW.findall(PAGE) if row[2].isdigit()])
def test_the_page_says_what_one_more_step_costs(name: str, cost: int) -> None:
    def evaluations(steps: int) -> int:
        asked: list[float] = []

        def denoise(x: Tensor, sigma: Tensor) -> Tensor:
            asked.append(float(sigma))
            return gaussian.denoise(x, sigma)

        list(SAMPLERS[name](Both(denoise), torch.ones(1, 1, 1, 1), gaussian.sigmas(steps).float(), 0))
        halves = 2 if name.endswith("_cfg_pp") else 1  # Both asks once for each of the two estimates
        return len(asked) // halves

    assert evaluations(7) - evaluations(6) == cost
