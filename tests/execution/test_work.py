"""A node that would make more than any device holds is refused before it waits."""

from typing import Any

import pytest

from execution.work import MOST_PIXELS, excess_of


@pytest.mark.parametrize(
    "inputs",
    [
        {"width": 16384, "height": 16384, "batch_size": 1},
        {"width": 2048, "height": 2048, "batch_size": 64},
        {"width": 16384, "height": 16384},
        {"width": 0, "height": 99999},
        {"width": 10**9},
        {"width": ["1", 0], "height": 10**9},
        {},
    ],
)
def test_what_fits_is_left_alone(inputs: dict[str, Any]) -> None:
    assert excess_of(inputs) is None


@pytest.mark.parametrize(
    "inputs",
    [
        {"width": 16384, "height": 16384, "batch_size": 4096},
        {"width": 16384, "height": 16385},
        {"width": 16, "height": 16, "length": MOST_PIXELS // 256 + 1},
    ],
)
def test_what_does_not_is_told_with_its_numbers(inputs: dict[str, Any]) -> None:
    found = excess_of(inputs)
    assert found is not None
    assert found.type == "work_too_large"
    assert f"at most {MOST_PIXELS:,}" in found.details
