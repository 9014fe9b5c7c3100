"""Laws of what changes guidance: what each leaves alone, and its formula."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from models.conditioning import Conditioning
from models.patches.cfg_norm import EstimateNorm, NoiseNorm
from models.patches.cfg_zero_star import cfg_zero_star, nearest_scale
from models.patches.frequency_guidance import FrequencyGuidance
from models.patches.noise_scaling import EpsilonScaling, TemporalScoreRescaling
from models.patches.perp_neg import PerpNegFormula, PerpNegGuidance, perpendicular
from models.patches.positive_bias import positive_bias
from models.patches.renorm_cfg import RenormCFG
from models.patches.rescale_cfg import RescaleCFG
from models.patches.tangential_damping import along_main_direction, tangential_damping
from models.sampling.guidance import ClassifierFree
from models.sampling.patches import Estimated, GuidancePatches, ModelPatches, Round
from models.unet_patches import UNetPatches
from tests.models.sampling.fakes import prompt

CFG = 5.0


class Answers:
    """Estimates by what the first feature of a prompt is."""

    def __init__(self, estimates: dict[float, Tensor], guidance: GuidancePatches | None = None) -> None:
        self.estimates = estimates
        self.patches = ModelPatches(guidance or GuidancePatches())

    def __call__(
        self, x: Tensor, sigma: Tensor, conditionings: Sequence[Conditioning], unet: UNetPatches | None = None
    ) -> list[Tensor]:
        return [self.estimates[float(conds[0].context[0, 0, 0])] for conds in conditionings]


def randn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*(shape or (2, 4, 6, 6)), generator=torch.Generator().manual_seed(seed))


X, TOWARD, AWAY, EMPTY = randn(0) * 3, randn(1), randn(2), randn(3)
SIGMA = torch.tensor(2.5)
POSITIVE, NEGATIVE, NOTHING = prompt(1.0), prompt(2.0), prompt(3.0)


def of(cfg: float = CFG, patches: GuidancePatches | None = None) -> Round:
    return Round(Answers({1.0: TOWARD, 2.0: AWAY, 3.0: EMPTY}, patches), X, SIGMA, POSITIVE, NEGATIVE, cfg)


def guided(cfg: float = CFG, away: Tensor = AWAY) -> Tensor:
    return away + (TOWARD - away) * cfg


ESTIMATED = Estimated(TOWARD, AWAY)


@pytest.mark.parametrize("flow", [False, True])
def test_no_share_of_rescaling_is_plain_guidance(flow: bool) -> None:
    torch.testing.assert_close(RescaleCFG(0.0, flow)(TOWARD, AWAY, of()), guided(), atol=1e-4, rtol=1e-4)


def test_full_rescaling_gives_the_velocity_of_the_positive_its_deviation() -> None:
    rescaled = RescaleCFG(1.0)(TOWARD, AWAY, of())

    def velocity(denoised: Tensor) -> Tensor:
        """v = √ᾱ · noise − √(1 − ᾱ) · latent, with x = latent + σ · noise and ᾱ = 1 / (1 + σ²)."""
        noise, alpha_bar = (X - denoised) / SIGMA, 1 / (1 + SIGMA**2)
        return alpha_bar.sqrt() * noise - (1 - alpha_bar).sqrt() * denoised

    torch.testing.assert_close(velocity(rescaled).std(dim=(1, 2, 3)), velocity(TOWARD).std(dim=(1, 2, 3)))
    assert not torch.allclose(rescaled, guided())


def test_rescaling_a_flow_works_on_its_velocity() -> None:
    rescaled = RescaleCFG(1.0, flow=True)(TOWARD, AWAY, of())
    deviations = [((X - one) / SIGMA).std(dim=(1, 2, 3)) for one in (rescaled, TOWARD)]
    torch.testing.assert_close(*deviations)


def test_renorming_limits_the_length_of_each_picture() -> None:
    limited = RenormCFG(100.0, 1.5)(TOWARD, AWAY, of())
    lengths, longest = limited.flatten(1).norm(dim=1), TOWARD.flatten(1).norm(dim=1) * 1.5
    torch.testing.assert_close(lengths, longest)
    torch.testing.assert_close(RenormCFG(100.0, 100.0)(TOWARD, AWAY, of()), guided())
    torch.testing.assert_close(RenormCFG(100.0, 0.0)(TOWARD, AWAY, of()), guided())


def test_truncated_guidance_is_none_above_its_sigma() -> None:
    assert torch.equal(RenormCFG(2.5, 0.0)(TOWARD, AWAY, of()), TOWARD)
    assert not torch.equal(RenormCFG(2.6, 0.0)(TOWARD, AWAY, of()), TOWARD)


def lengths(x: Tensor) -> Tensor:
    return x.norm(dim=1)


def test_an_estimate_is_shortened_to_the_positives_length_and_never_lengthened() -> None:
    kept = EstimateNorm(1.0)(guided(), ESTIMATED, of())
    torch.testing.assert_close(lengths(kept), torch.minimum(lengths(guided()), lengths(TOWARD)))
    torch.testing.assert_close(EstimateNorm(0.5)(guided(), ESTIMATED, of()), kept * 0.5)
    torch.testing.assert_close(EstimateNorm(1.0)(TOWARD, Estimated(TOWARD, None), of(1.0)), TOWARD)


def test_noise_gets_the_positives_length_in_a_share() -> None:
    torch.testing.assert_close(lengths(X - NoiseNorm(1.0)(TOWARD, AWAY, of())), lengths(X - TOWARD))
    torch.testing.assert_close(NoiseNorm(0.0)(TOWARD, AWAY, of()), guided(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(NoiseNorm(1.0)(X, X, of()), X)


def test_cfg_zero_star_guides_from_a_negative_that_is_scaled_to_the_positive() -> None:
    scale = nearest_scale(X - TOWARD, X - AWAY)
    nearest = (X - TOWARD) - scale * (X - AWAY)
    torch.testing.assert_close((nearest * (X - AWAY)).sum(dim=(1, 2, 3)), torch.zeros(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(cfg_zero_star(guided(), ESTIMATED, of()), guided(away=scale * AWAY))
    torch.testing.assert_close(cfg_zero_star(guided(1.0), ESTIMATED, of(1.0)), guided(1.0))


def test_damping_keeps_only_what_lies_along_the_main_direction() -> None:
    kept = along_main_direction(X - AWAY, X - TOWARD)
    torch.testing.assert_close(along_main_direction(kept, X - TOWARD).norm(), kept.norm(), rtol=0.2, atol=0)
    assert float(kept.norm()) < float((X - AWAY).norm())
    same = along_main_direction(2 * X, X)
    torch.testing.assert_close(same, 2 * X, atol=1e-4, rtol=1e-4)
    damped = tangential_damping(ESTIMATED, of())
    assert damped.away is not None
    torch.testing.assert_close(X - damped.away, kept)
    assert damped.toward is TOWARD


def test_perp_neg_ignores_what_the_negative_shares_with_the_positive() -> None:
    torch.testing.assert_close(perpendicular(TOWARD, 3 * TOWARD, 7.0), TOWARD, atol=1e-4, rtol=1e-4)
    own = (TOWARD - perpendicular(TOWARD, AWAY, 2.0)) / 2
    assert float((own * TOWARD).sum()) == pytest.approx(0, abs=1e-3)
    torch.testing.assert_close(perpendicular(TOWARD, AWAY, 0.0), TOWARD)


def test_both_forms_of_perp_neg_are_the_same() -> None:
    formula = PerpNegFormula(NOTHING, 1.2)(TOWARD, AWAY, of())
    guidance = PerpNegGuidance(POSITIVE, NEGATIVE, NOTHING, CFG, 1.2)
    torch.testing.assert_close(guidance.denoised(of().ask, X, SIGMA), formula)
    torch.testing.assert_close(guidance.both(of().ask, X, SIGMA).unguided, AWAY)


def test_perp_neg_of_a_model_takes_the_place_of_its_formula() -> None:
    patches = GuidancePatches(formula=PerpNegFormula(NOTHING, 0.0))
    found = ClassifierFree(POSITIVE, NEGATIVE, CFG).denoised(of(patches=patches).ask, X, SIGMA)
    torch.testing.assert_close(found, EMPTY + (TOWARD - EMPTY) * CFG)


def test_perp_neg_says_which_prompt_is_missing() -> None:
    with pytest.raises(ValueError, match="the empty conditioning is empty"):
        PerpNegGuidance(POSITIVE, NEGATIVE, (), CFG, 1.0)


def test_less_noise_is_predicted() -> None:
    scaled = EpsilonScaling(1.25)(guided(), ESTIMATED, of())
    torch.testing.assert_close((X - scaled) * 1.25, X - guided())


def test_rescaling_the_score_gives_gaussian_data_another_variance() -> None:
    """For data N(0, s²) the score at σ is −x / (s² + σ²); with the variance divided by k, −x / (s² / k + σ²)."""
    spread, k = 1.3, 0.8
    denoised = X * spread**2 / (spread**2 + SIGMA**2)
    expected = X * spread**2 / k / (spread**2 / k + SIGMA**2)
    torch.testing.assert_close(TemporalScoreRescaling(k, spread)(denoised, ESTIMATED, of()), expected)
    assert TemporalScoreRescaling(1.0, spread)(denoised, ESTIMATED, of()) is denoised


def test_rescaling_the_score_of_a_flow_is_the_same_in_its_coordinates() -> None:
    spread, k, sigma = 1.3, 0.8, torch.tensor(0.6)
    flow = Round(of().ask, X, sigma, POSITIVE, NEGATIVE, CFG)

    def denoised(variance: float) -> Tensor:
        return X * (1 - sigma) * variance / ((1 - sigma) ** 2 * variance + sigma**2)

    found = TemporalScoreRescaling(k, spread, flow=True)(denoised(spread**2), ESTIMATED, flow)
    torch.testing.assert_close(found, denoised(spread**2 / k))


def test_bias_to_the_positive_is_none_where_the_prompts_agree_and_full_where_they_oppose() -> None:
    agreeing = positive_bias(guided(CFG, TOWARD), Estimated(TOWARD, TOWARD), of())
    torch.testing.assert_close(agreeing, guided(CFG, TOWARD), atol=1e-4, rtol=1e-4)
    opposed = positive_bias(guided(CFG, -TOWARD), Estimated(TOWARD, -TOWARD), of())
    torch.testing.assert_close(opposed, TOWARD * CFG, atol=1e-4, rtol=1e-4)


def test_frequencies_of_guidance_are_scaled_apart() -> None:
    same = FrequencyGuidance(2.0, 2.0, 2)(ESTIMATED, of()).toward
    torch.testing.assert_close(same, AWAY + (TOWARD - AWAY) * 2, atol=1e-5, rtol=1e-5)
    flat = torch.full((1, 1, 6, 6), 3.0)
    torch.testing.assert_close(FrequencyGuidance(0.5, 9.0, 1).scaled(flat), flat * 0.5)
    board = flat * torch.tensor([1.0, -1.0]).repeat(3)
    torch.testing.assert_close(FrequencyGuidance(0.5, 9.0, 1).scaled(board), board * 9)


@pytest.mark.parametrize("change", [cfg_zero_star, positive_bias])
def test_what_needs_a_negative_does_nothing_without(change) -> None:
    assert change(TOWARD, Estimated(TOWARD, None), of(1.0)) is TOWARD


@pytest.mark.parametrize("change", [tangential_damping, FrequencyGuidance(1.0, 2.0, 2)])
def test_what_changes_estimates_does_nothing_without_a_negative(change) -> None:
    alone = Estimated(TOWARD, None)
    assert change(alone, of(1.0)) is alone
