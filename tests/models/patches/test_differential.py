"""Differential diffusion: darker places join later."""

import pytest
import torch

from models.patches.differential import DifferentialDiffusion
from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.sampling.masking import Masked
from models.sampling.model_sampling import ModelSampling
from models.sampling.patches import Moment

LEVELS = discrete_levels(scaled_linear_alphas_bar())
GRAY = torch.linspace(0, 1, 11).reshape(1, 1, 1, 11)


def moment(timestep: int, sigmas: list[float] | None = None) -> Moment:
    whole = [LEVELS.sigma_max, 1.0, 0.0]
    return Moment(LEVELS.sigmas[timestep], torch.tensor(sigmas or whole), LEVELS)


def test_at_first_only_white_takes_part_and_at_last_all_does() -> None:
    patch = DifferentialDiffusion()
    assert patch(GRAY, moment(999)).flatten().tolist() == [0] * 10 + [1]
    assert patch(GRAY, moment(0)).flatten().tolist() == [1] * 11


@pytest.mark.parametrize(("timestep", "darkest"), [(850, 0.9), (550, 0.6), (250, 0.3)])
def test_a_place_joins_when_the_way_left_is_no_more_than_its_gray(timestep: int, darkest: float) -> None:
    active = DifferentialDiffusion()(GRAY, moment(timestep))
    assert float(GRAY[active.bool()].min()) == pytest.approx(darkest)
    assert float(GRAY[~active.bool()].max()) == pytest.approx(darkest - 0.1)


def test_the_way_is_that_of_the_run() -> None:
    """A run that begins half way down counts from there, and one that ends early ends there."""
    sigmas = [float(LEVELS.sigmas[600]), float(LEVELS.sigmas[400]), float(LEVELS.sigmas[200])]
    active = DifferentialDiffusion()(GRAY, moment(400, sigmas))
    assert torch.equal(active, (GRAY >= 0.5).float())


def test_a_part_of_the_strength_leaves_a_part_of_the_mask() -> None:
    mixed = DifferentialDiffusion(0.25)(GRAY, moment(500))
    torch.testing.assert_close(mixed, 0.25 * (GRAY >= 500 / 999).float() + 0.75 * GRAY)
    torch.testing.assert_close(DifferentialDiffusion(0.0)(GRAY, moment(500)), GRAY)


def test_a_run_that_goes_nowhere_has_no_way_left() -> None:
    assert DifferentialDiffusion()(GRAY, moment(0, [0.01, 0.0])).min() == 1


def test_a_mask_that_changes_decides_what_is_shown_and_kept() -> None:
    latent = torch.zeros(1, 4, 1, 11)
    patch = DifferentialDiffusion()
    masked = Masked(
        lambda x, sigma: torch.full_like(x, 9.0), ModelSampling().prediction, GRAY, latent, latent,
        lambda mask, sigma: patch(mask, moment(int(sigma))),
    )  # fmt: skip
    assert masked(latent, torch.tensor(500.0))[0, 0, 0].tolist() == [0] * 6 + [9] * 5
    assert masked(latent, torch.tensor(0.0)).min() == 9
