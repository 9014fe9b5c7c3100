"""Which part of a schedule is walked, as tables."""

import pytest
import torch

from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.sampling.schedules import karras
from models.sampling.steps import between_steps, partly_scheduled, scheduled, without_penultimate

LEVELS = discrete_levels(scaled_linear_alphas_bar())


def count_down(levels, steps):
    """A schedule that shows its length: steps, …, 1, 0."""
    return torch.arange(steps, -1, -1, dtype=torch.float32)


@pytest.mark.parametrize(
    ("steps", "denoise", "expected"),
    [
        (4, 1.0, [4, 3, 2, 1, 0]),
        (4, 0.99995, [4, 3, 2, 1, 0]),
        (4, 0.5, [4, 3, 2, 1, 0]),  # of 8 steps
        (5, 0.6, [5, 4, 3, 2, 1, 0]),  # of ⌊8.33⌋ steps
        (3, 0.999, [3, 2, 1, 0]),
        (4, 0.0, []),
        (4, -1.0, []),
    ],
)
def test_partial_denoising_walks_the_end_of_a_longer_schedule(steps, denoise, expected):
    assert partly_scheduled(count_down, LEVELS, steps, denoise).tolist() == expected


@pytest.mark.parametrize(
    ("steps", "denoise", "total"),
    [(4, 0.5, 8), (5, 0.6, 8), (20, 0.1, 200), (3, 0.999, 3), (5, 0.75, 6), (200, 0.995, 201)],
)
def test_the_longer_schedule_has_steps_over_denoise_steps(steps, denoise, total):
    torch.testing.assert_close(partly_scheduled(karras, LEVELS, steps, denoise), karras(LEVELS, total)[-(steps + 1) :])


def test_dropping_the_penultimate_sigma_keeps_the_number_of_steps():
    assert without_penultimate(torch.tensor([3.0, 2.0, 1.0, 0.0])).tolist() == [3, 2, 0]
    assert scheduled(count_down, LEVELS, 4, drop_penultimate=True).tolist() == [5, 4, 3, 2, 0]
    assert partly_scheduled(count_down, LEVELS, 4, 0.5, drop_penultimate=True).tolist() == [6, 5, 4, 3, 2, 0][-5:]


@pytest.mark.parametrize(
    ("start", "end", "leave_noise", "expected"),
    [
        (0, 10000, False, [4, 3, 2, 1, 0]),
        (0, 4, False, [4, 3, 2, 1, 0]),
        (0, 2, False, [4, 3, 0]),
        (0, 2, True, [4, 3, 2]),
        (2, 10000, False, [2, 1, 0]),
        (1, 3, True, [3, 2, 1]),
        (1, 3, False, [3, 2, 0]),
        (3, 4, True, [1, 0]),
        (4, 10000, False, [0]),
        (9, 10000, False, []),
        (2, 2, True, [2]),
        (0, 0, False, [0]),
        (3, 1, True, []),
    ],
)
def test_steps_are_cut_from_both_ends(start, end, leave_noise, expected):
    assert between_steps(count_down(LEVELS, 4), start, end, leave_noise).tolist() == expected


def test_cutting_leaves_the_schedule_as_it_was():
    sigmas = count_down(LEVELS, 4)
    between_steps(sigmas, 0, 2, leave_noise=False)
    assert sigmas.tolist() == [4, 3, 2, 1, 0]
