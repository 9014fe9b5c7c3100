"""The plot of the samplers: all are in it, and what it shows is true."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from benchmarks import samplers
from benchmarks.svg import Axis, Line, Panel, document
from models.sampling.samplers.table import SAMPLERS
from models.sampling.schedules import karras_between
from tests.models.sampling.fakes import Both

DRAWN = [name for names in samplers.PANELS.values() for name in names]


def test_every_sampler_is_drawn_once() -> None:
    names = [*DRAWN, *(name for same in samplers.SAME.values() for name in same)]
    assert sorted(names) == sorted(SAMPLERS)
    assert set(samplers.SAME) <= set(DRAWN)


def test_the_page_shows_every_sampler() -> None:
    drawing = (Path(__file__).parents[2] / "docs" / "samplers.svg").read_text(encoding="utf-8")
    words = {word for text in ElementTree.fromstring(drawing).itertext() for word in text.split()}
    assert set(SAMPLERS) <= words


@pytest.mark.parametrize("name", list(samplers.SAME))
def test_names_that_are_drawn_as_one_walk_the_same(name: str) -> None:
    sigmas = karras_between(samplers.LOW, samplers.HIGH, 6)[:-1].double()
    results = [samplers.run(SAMPLERS[one], sigmas)[1] for one in (name, *samplers.SAME[name])]
    for other in results[1:]:
        torch.testing.assert_close(results[0], other)


@pytest.mark.parametrize("name", ["euler_ancestral", "seeds_2", "dpmpp_sde", "dpmpp_2m_sde"])
def test_the_deviation_from_weights_is_that_of_samples(name: str) -> None:
    sigmas = karras_between(samplers.LOW, samplers.HIGH, 9)[:-1]
    _, weights = samplers.run(SAMPLERS[name], sigmas.double())
    noise = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    x = noise * (samplers.SPREAD**2 + samplers.HIGH**2) ** 0.5
    *_, state = SAMPLERS[name](Both(samplers.PerfectDenoiser()), x, sigmas, 3)
    assert float(torch.linalg.vector_norm(weights)) == pytest.approx(float(state.x.std()), rel=0.02)


def test_evaluations_are_counted() -> None:
    sigmas = karras_between(samplers.LOW, samplers.HIGH, 9)[:-1].double()
    counts = {name: samplers.run(SAMPLERS[name], sigmas)[0] for name in ("euler", "heun", "seeds_3", "dpmpp_2m")}
    assert counts == {"euler": 8, "heun": 16, "seeds_3": 24, "dpmpp_2m": 8}


def test_axes_are_logarithmic() -> None:
    axis = Axis(1.0, 100.0, 0.0, 50.0)
    assert axis.at(10.0) == pytest.approx(25.0)
    assert list(axis.ticks((1, 3))) == [(1, 0), (3, 0), (1, 1), (3, 1)]


def test_a_drawing_is_well_formed_and_names_its_lines() -> None:
    drawing = document([Panel("A & B", [Line("x < y", [(1, 0.1), (10, 0.01)])])], "across", "up")
    assert {"A & B", "x < y", "across", "up"} <= set(ElementTree.fromstring(drawing).itertext())
