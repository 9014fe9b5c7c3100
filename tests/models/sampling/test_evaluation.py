"""Laws of asking a network: what is evaluated together, and how prompts share the picture."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from models.conditioning import Area, Cond, FractionalArea, Occasion
from models.sampling.denoiser import EpsPrediction
from models.sampling.entries import Rules, entries
from models.sampling.evaluation import Asker, ConditionedDenoiser, groups
from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.sampling.patches import ModelPatches
from models.unet_patches import Residuals, UNetPatches
from tests.models.sampling.fakes import prompt

SIGMA = torch.tensor(1.0)
X = torch.zeros(2, 4, 16, 16)
OCCASION = Occasion(X, stride=8)
RULES = Rules(discrete_levels(scaled_linear_alphas_bar()))


class Recorder:
    """Estimates the mean of the context, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, x, sigma, inputs):
        self.asked.append((tuple(x.shape), inputs))
        return x + inputs.context.mean(dim=(1, 2)).reshape(-1, 1, 1, 1)


def cond(value, **options):
    return Cond(torch.full((1, 3, 2), value), **options)


def asked(*conditionings, sigma=SIGMA, evaluate=None, rules=RULES):
    return Asker(evaluate or Recorder(), OCCASION, rules)(X, sigma, conditionings)


def test_attention_over_repeated_tokens_is_that_over_one_copy():
    query, tokens = torch.randn(1, 5, 8), torch.randn(1, 7, 8)
    repeated = tokens.repeat(1, 3, 1)
    torch.testing.assert_close(
        F.scaled_dot_product_attention(query, repeated, repeated),
        F.scaled_dot_product_attention(query, tokens, tokens),
    )


def test_several_entries_are_averaged():
    mean, other = asked((*prompt(1.0), *prompt(2.0), *prompt(6.0)), prompt(5.0))
    torch.testing.assert_close(mean, torch.full_like(X, 3))
    torch.testing.assert_close(other, torch.full_like(X, 5))


def test_entries_weigh_by_their_strength():
    (mean,) = asked((cond(1.0, strength=3.0), cond(5.0)))
    torch.testing.assert_close(mean, torch.full_like(X, 2))


def test_entries_of_other_widths_areas_or_controls_are_evaluated_apart():
    class Nothing:
        def residuals(self, call):
            return None

    control = Nothing()
    plain, wide = cond(1.0), Cond(torch.zeros(1, 3, 8))
    part, controlled = cond(1.0, area=Area(8, 8, 0, 0)), cond(1.0, controls=(control,))
    found = entries([(plain, wide, part, controlled, plain)], OCCASION, RULES)
    assert groups(found) == [[found[0], found[4]], [found[1]], [found[2]], [found[3]]]


def test_an_area_is_shown_to_the_network_alone_and_changes_nothing_outside():
    evaluate = Recorder()
    (mean,) = asked((cond(3.0, area=Area(height=8, width=16, y=8, x=0)),), evaluate=evaluate)
    assert [shape for shape, _ in evaluate.asked] == [(2, 4, 8, 16)]
    torch.testing.assert_close(mean[:, :, 8:], torch.full((2, 4, 8, 16), 3.0))
    assert mean[:, :, :8].abs().max() == 0


def test_an_area_fades_out_toward_the_rest_of_the_picture_and_not_at_its_border():
    whole, lower = cond(0.0), cond(1.0, area=Area(height=8, width=16, y=8, x=0))
    (mean,) = asked((whole, lower))
    column = mean[0, 0, 8:, 0]
    expected = torch.tensor([1 / 2, 1.0, 1, 1, 1, 1, 1, 1])  # a ramp over a quarter of the side
    torch.testing.assert_close(column, expected / (1 + expected))


def test_shares_of_the_picture_are_rounded_to_pixels_of_the_latent():
    (entry,) = entries([(cond(1.0, area=FractionalArea(0.49, 0.26, 0.5, 0.9)),)], OCCASION, RULES)
    assert entry.area == Area(height=8, width=2, y=8, x=14)


def test_an_area_outside_the_picture_is_refused():
    with pytest.raises(ValueError, match="begins at 16, 0 of the latent, which is only 16 × 16"):
        asked((cond(1.0, area=Area(8, 8, 0, 16)),))


def test_an_area_of_one_side_is_cut_from_the_other_side_too():
    evaluate = Recorder()
    area = Area(height=8, width=8, y=0, x=0)
    asked((cond(1.0), cond(2.0, area=area)), (cond(0.0),), evaluate=evaluate)
    assert sorted((shape, inputs.prompts) for shape, inputs in evaluate.asked) == [
        ((4, 4, 8, 8), (0, 1)),
        ((4, 4, 16, 16), (0, 1)),
    ]


def test_masks_share_the_picture():
    left = torch.zeros(1, 4, 4)
    left[:, :, :2] = 1
    (mean,) = asked((cond(1.0, mask=left), cond(3.0, mask=1 - left, mask_strength=0.5)))
    assert mean[0, 0, 0, 0] == 1
    assert mean[0, 0, 0, -1] == 3


@pytest.mark.parametrize("strengths", [{"strength": 3.0}, {"mask_strength": 3.0}], ids=lambda given: next(iter(given)))
def test_masked_entries_weigh_by_both_their_strengths(strengths):
    everywhere = torch.ones(1, 4, 4)
    (mean,) = asked((cond(1.0, mask=everywhere, **strengths), cond(5.0, mask=everywhere)))
    torch.testing.assert_close(mean, torch.full_like(X, 2))


def test_only_the_last_of_several_conditionings_is_the_negative():
    class Told:
        def vector(self, cond, occasion):
            return torch.tensor([[float(occasion.negative)]])

    rules = replace(RULES, vector=Told())
    for count, expected in ((1, [0.0]), (2, [0.0, 1.0]), (3, [0.0, 0.0, 1.0])):
        found = entries([(cond(1.0),)] * count, OCCASION, rules)
        assert [entry.y.item() for entry in found] == expected


def test_the_box_of_a_mask_is_its_area():
    mask = torch.zeros(1, 16, 16)
    mask[:, 2:12, 10:12] = 1
    (entry,) = entries([(cond(1.0, mask=mask, mask_bounds=True),)], OCCASION, RULES)
    assert entry.area == Area(height=10, width=6, y=2, x=10)  # at least eight wide, as far as the picture goes
    assert entry.weight.shape == (2, 1, 10, 6)


@pytest.mark.parametrize(("sigma", "heard"), [(14.0, False), (2.0, True), (0.05, False)])
def test_a_prompt_is_heard_in_its_part_of_the_schedule(sigma, heard):
    (mean,) = asked((cond(1.0), cond(5.0, start=0.25, end=0.75)), sigma=torch.tensor(sigma))
    torch.testing.assert_close(mean, torch.full_like(X, 3.0 if heard else 1.0))


def test_both_ends_of_a_part_of_the_schedule_belong_to_it():
    (entry,) = entries([(cond(1.0, start=0.25, end=0.75),)], OCCASION, RULES)
    ends = [RULES.levels.sigma_at_percent(share) for share in (0.25, 0.75)]
    assert all(entry.active(sigma) for sigma in ends)
    assert not entry.active(ends[0] * 1.001)
    assert not entry.active(ends[1] * 0.999)


def test_controls_that_are_shared_steer_the_negative_too():
    class Nothing:
        def residuals(self, call):
            return None

    control, own = Nothing(), Nothing()
    shared = cond(1.0, controls=(control,), controls_shared=True)
    assert entries([(shared,), (cond(0.0),)], OCCASION, RULES)[1].cond.controls == (control,)
    assert entries([(shared,), (cond(0.0, controls=(own,)),)], OCCASION, RULES)[1].cond.controls == (own,)


def test_boxes_hold_for_the_negative_too_and_are_evaluated_apart_from_prompts_without():
    class Boxes:
        unet = UNetPatches(between_attentions=(lambda x, place, call: x,))

    evaluate, boxes = Recorder(), Boxes()
    asked((cond(1.0, boxes=boxes), cond(2.0)), (cond(0.0),), evaluate=evaluate)
    assert [inputs.prompts for _, inputs in evaluate.asked] == [(0, 1), (0,)]
    assert [inputs.patches.empty for _, inputs in evaluate.asked] == [False, True]


def test_vectors_and_channels_are_made_for_each_side():
    class Side:
        def vector(self, cond, occasion):
            return torch.full((1, 5), float(occasion.negative))

        def channels(self, cond, occasion):
            return torch.full((2, 1, 16, 16), float(occasion.negative))

    evaluate = Recorder()
    rules = Rules(RULES.levels, Side(), Side())
    asked((cond(1.0, area=Area(8, 8, 0, 0)),), (cond(0.0),), evaluate=evaluate, rules=rules)
    _, inputs = evaluate.asked[0]
    assert inputs.y[:, 0].tolist() == [0, 0, 1, 1]
    assert inputs.concat.shape == (4, 1, 8, 8)
    assert inputs.concat[:, 0, 0, 0].tolist() == [0, 0, 1, 1]


def test_controls_add_up_and_the_network_is_told_of_patches():
    class Adds:
        def __init__(self, value):
            self.value = value

        def residuals(self, call):
            assert call.context.shape == (2, 3, 2)
            return Residuals(skips=(None, torch.tensor(self.value)), middle=torch.tensor(self.value))

    seen = []

    def network(x, timesteps, context, hooks):
        seen.append(hooks)
        return x

    denoise = ConditionedDenoiser(network, EpsPrediction(), RULES.levels)
    patches = ModelPatches(unet=UNetPatches(after_middle=(lambda h, place, call: h * 2,)))
    Asker(denoise, OCCASION, RULES, patches)(X, SIGMA, [(cond(1.0, controls=(Adds(1.0), Adds(4.0))),)])
    (hooks,) = seen
    assert hooks.residuals.skips[0] is None
    assert float(hooks.residuals.skips[1]) == 5
    assert float(hooks.after_middle(torch.tensor(1.0))) == 12
    assert hooks.call.prompts == (0,)


def test_nothing_heard_is_nothing_said():
    (mean,) = asked((cond(5.0, start=0.9),), sigma=torch.tensor(10.0))
    assert math.isclose(float(mean.abs().max()), 0)


def test_what_stands_in_the_place_of_an_evaluation_makes_it_or_not():
    recorder, seen = Recorder(), []

    def twice(evaluate, x, sigma, inputs):
        seen.append((inputs.prompts, float(sigma)))
        return evaluate(x, sigma, inputs) * 2

    def never(evaluate, x, sigma, inputs):
        return torch.full_like(x, 7.0)

    patches = ModelPatches(evaluation=twice)
    asker = Asker(recorder, OCCASION, RULES, patches)
    plain = Asker(Recorder(), OCCASION, RULES)(X, SIGMA, [prompt(1.0), prompt(2.0)])
    for doubled, once in zip(asker(X, SIGMA, [prompt(1.0), prompt(2.0)]), plain, strict=True):
        torch.testing.assert_close(doubled, once * 2)
    assert seen == [((0, 1), 1.0)]
    (found,) = asker.patched(patches.plus(ModelPatches(evaluation=never)))(X, SIGMA, [prompt(1.0)])
    torch.testing.assert_close(found, torch.full_like(X, 7.0))
    assert len(recorder.asked) == 1


def test_an_evaluation_is_told_all_sigmas_of_its_run():
    recorder, sigmas = Recorder(), torch.tensor([2.0, 1.0, 0.0])
    Asker(recorder, replace(OCCASION, sigmas=sigmas), RULES)(X, SIGMA, [prompt(1.0)])
    assert recorder.asked[0][1].sigmas is sigmas
