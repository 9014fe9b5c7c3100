"""Laws of guidance: what is evaluated together, how often, and what comes of it."""

import pytest
import torch

from models.conditioning import Occasion
from models.sampling.entries import Rules
from models.sampling.evaluation import Asker
from models.sampling.guidance import ClassifierFree, DualClassifierFree, Guided, Unguided
from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from tests.models.sampling.fakes import prompt

SIGMA = torch.tensor(1.0)
X = torch.zeros(2, 4, 8, 8)
RULES = Rules(discrete_levels(scaled_linear_alphas_bar()))


class Recorder:
    """Estimates the mean of the context, and remembers what it was asked."""

    def __init__(self):
        self.calls = []

    def __call__(self, x, sigma, inputs):
        self.calls.append(inputs.context.shape)
        assert len(x) == len(inputs.context)
        return x + inputs.context.mean(dim=(1, 2)).reshape(-1, 1, 1, 1)


def guided(evaluate, guidance):
    return Guided(Asker(evaluate, Occasion(X, stride=8), RULES), guidance)


def test_guidance_goes_away_from_the_negative():
    estimate = guided(Recorder(), ClassifierFree(prompt(3.0), prompt(1.0), cfg=7.0))(X, SIGMA)
    torch.testing.assert_close(estimate, torch.full_like(X, 1 + 7 * (3 - 1)))


def test_both_prompts_share_one_evaluation():
    evaluate = Recorder()
    guided(evaluate, ClassifierFree(prompt(3.0), prompt(1.0), cfg=7.0))(X, SIGMA)
    assert evaluate.calls == [(4, 3, 2)]


@pytest.mark.parametrize("cfg", [1.0, 1.0 + 1e-10])
def test_guidance_of_one_does_not_evaluate_the_negative(cfg):
    evaluate = Recorder()
    estimate = guided(evaluate, ClassifierFree(prompt(3.0), prompt(1.0), cfg))(X, SIGMA)
    torch.testing.assert_close(estimate, torch.full_like(X, 3))
    assert evaluate.calls == [(2, 3, 2)]


def test_guidance_of_zero_is_the_negative():
    torch.testing.assert_close(
        guided(Recorder(), ClassifierFree(prompt(3.0), prompt(1.0), 0.0))(X, SIGMA), torch.ones_like(X)
    )


@pytest.mark.parametrize(
    ("lengths", "calls"),
    [
        ((77, 77), [77]),
        ((77, 154), [154]),
        ((154, 231), [462]),  # three times the shorter
        ((77, 308), [308]),  # four times the shorter
        ((77, 385), [77, 385]),
        ((308, 385), [308, 385]),  # the least common multiple is five times the shorter
    ],
)
def test_prompts_of_other_lengths_are_repeated_up_to_four_times(lengths, calls):
    evaluate = Recorder()
    positive, negative = prompt(3.0, lengths[0]), prompt(1.0, lengths[1])
    estimate = guided(evaluate, ClassifierFree(positive, negative, cfg=2.0))(X, SIGMA)
    assert [shape[1] for shape in evaluate.calls] == calls
    torch.testing.assert_close(estimate, torch.full_like(X, 5))


def test_an_empty_conditioning_is_refused():
    with pytest.raises(ValueError, match="negative conditioning is empty"):
        ClassifierFree(prompt(1.0), (), cfg=7.0)


def test_both_estimates_come_of_one_evaluation_even_where_guidance_is_one():
    evaluate = Recorder()
    denoised, unguided = guided(evaluate, ClassifierFree(prompt(3.0), prompt(1.0), cfg=1.0)).both(X, SIGMA)
    torch.testing.assert_close(denoised, torch.full_like(X, 3))
    torch.testing.assert_close(unguided, torch.ones_like(X))
    assert evaluate.calls == [(4, 3, 2)]


@pytest.mark.parametrize(
    ("first_cfg", "second_cfg", "nested", "expected", "evaluated"),
    [
        (4.0, 3.0, False, 1 + 3 * (2 - 1) + 4 * (5 - 2), 3),
        (4.0, 3.0, True, 1 + 3 * ((2 + 4 * (5 - 2)) - 1), 3),
        (4.0, 1.0, False, 2 + 4 * (5 - 2), 2),
        (1.0, 1.0, False, 5, 1),
        (1.0, 1.0, True, 5, 3),
    ],
)
def test_dual_guidance_scales_two_distances(first_cfg, second_cfg, nested, expected, evaluated):
    evaluate = Recorder()
    guidance = DualClassifierFree(prompt(5.0), prompt(2.0), prompt(1.0), first_cfg, second_cfg, nested)
    torch.testing.assert_close(guided(evaluate, guidance)(X, SIGMA), torch.full_like(X, expected))
    assert evaluate.calls == [(2 * evaluated, 3, 2)]
    torch.testing.assert_close(guided(evaluate, guidance).both(X, SIGMA).unguided, torch.ones_like(X))


def test_one_conditioning_has_no_negative_to_tell_apart():
    alone = guided(Recorder(), Unguided(prompt(3.0)))
    torch.testing.assert_close(alone(X, SIGMA), torch.full_like(X, 3))
    with pytest.raises(ValueError, match="has none: use a guider with a negative"):
        alone.both(X, SIGMA)
