"""Laws of what changes a UNet's work: where it acts, what it leaves alone, and its formula."""

import pytest
import torch

from models.conditioning import Occasion
from models.patches.downscale import Downscale, UpscaleToSkip
from models.patches.freeu import FreeU, Stage, with_low_frequencies_scaled
from models.patches.hypertile import HyperTile, chosen_count
from models.patches.perturbed_attention import PerturbedAttention, values_alone
from models.patches.self_attention_guidance import SelfAttention, blurred_where_seen
from models.patches.token_merging import TokenMerging, merge_of
from models.sampling.denoiser import EpsPrediction
from models.sampling.entries import Rules
from models.sampling.evaluation import Asker, ConditionedDenoiser
from models.sampling.guidance import ClassifierFree, Guided
from models.sampling.levels import discrete_levels, scaled_linear_alphas_bar
from models.sampling.patches import GuidancePatches, ModelPatches
from models.unet import CrossAttention, Level, UNet, UNetConfig
from models.unet_patches import Call, Place
from tests.models.sampling.fakes import prompt

LEVELS = discrete_levels(scaled_linear_alphas_bar())
SIGMA = torch.tensor(2.0)
MIDDLE = Place("middle", 0)


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=chance(seed))


def call_of(height, width, prompts=(0,)):
    return Call(SIGMA, prompts, 1, (len(prompts), 4, height, width))


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    config = UNetConfig(4, 4, 32, (Level(32, (1,), (1, 1)), Level(64, (1,), (1, 1))), 1, 2)
    return UNet(config).eval().requires_grad_(False)


def guided(unet, patches, x, cfg=4.0):
    counted = []

    def network(*args, **options):
        counted.append(len(args[0]))
        return unet(*args, **options)

    asker = Asker(ConditionedDenoiser(network, EpsPrediction(), LEVELS), Occasion(x, 8), Rules(LEVELS), patches)
    return Guided(asker, ClassifierFree(prompt(1.0), prompt(0.0), cfg))(x, SIGMA), counted


class TestFreeU:
    def test_factors_of_one_change_nothing(self):
        features, skip = randn(2, 8, 6, 6), randn(2, 8, 6, 6, seed=1)
        found = FreeU((Stage(8, 1.0, 1.0),), adaptive=False)(features, skip, Place("output", 0), call_of(6, 6))
        torch.testing.assert_close(found, (features, skip))

    def test_only_stages_of_its_widths_are_changed(self):
        features, skip = randn(2, 4, 6, 6), randn(2, 4, 6, 6)
        found = FreeU((Stage(8, 2.0, 0.5),), adaptive=False)(features, skip, Place("output", 0), call_of(6, 6))
        assert found == (features, skip)

    def test_half_of_the_backbone_is_strengthened(self):
        features = torch.ones(1, 8, 4, 4)
        found, _ = FreeU((Stage(8, 1.5, 1.0),), adaptive=False)(features, features, MIDDLE, call_of(4, 4))
        assert found[0, :, 0, 0].tolist() == [1.5] * 4 + [1.0] * 4

    def test_the_adaptive_form_leaves_a_single_pixel_alone(self):
        features = randn(2, 8, 1, 1)
        found, _ = FreeU((Stage(8, 1.5, 1.0),), adaptive=True)(features, features, MIDDLE, call_of(1, 1))
        assert torch.equal(found, features)

    def test_the_adaptive_form_reaches_from_one_to_b(self):
        features = torch.arange(16.0).reshape(1, 1, 4, 4).expand(1, 8, 4, 4)
        found, _ = FreeU((Stage(8, 1.5, 1.0),), adaptive=True)(features, features, MIDDLE, call_of(4, 4))
        factors = found[0, 0] / features[0, 0].clamp(min=1)
        assert float(factors[0, 1]) == pytest.approx(1 + 0.5 / 15)
        assert float(factors[-1, -1]) == pytest.approx(1.5)

    def test_two_waves_a_side_are_no_low_frequency(self):
        wave = (torch.arange(8.0) * torch.pi / 2).cos().expand(1, 1, 8, 8)
        torch.testing.assert_close(with_low_frequencies_scaled(wave, 0.0), wave)

    def test_what_is_constant_is_a_low_frequency_and_a_checkerboard_is_not(self):
        constant = torch.full((1, 1, 8, 8), 3.0)
        board = ((torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1).reshape(1, 1, 8, 8)
        torch.testing.assert_close(with_low_frequencies_scaled(constant, 0.2), constant * 0.2)
        torch.testing.assert_close(with_low_frequencies_scaled(board, 0.2), board)


class TestPerturbedAttention:
    def test_each_token_answers_for_itself(self):
        torch.manual_seed(0)
        layer = CrossAttention(8, 8, 2)
        x = randn(1, 5, 8)
        out = values_alone(layer, x, x, x, MIDDLE, call_of(1, 5))
        torch.testing.assert_close(out[:, 2:3], layer(x[:, 2:3], x[:, 2:3]))

    def test_the_scale_multiplies_the_distance_and_one_evaluation_is_added(self, unet):
        x = randn(1, 4, 8, 8)
        plain, few = guided(unet, ModelPatches(), x)
        results = {}
        for scale in (0.0, 1.0, 3.0):
            patches = ModelPatches(GuidancePatches(after=(PerturbedAttention(scale, 1),)))
            results[scale], counted = guided(unet, patches, x)
            assert len(counted) == len(few) + (scale > 0)
        torch.testing.assert_close(results[0.0], plain)
        assert not torch.allclose(results[1.0], plain)
        torch.testing.assert_close(results[3.0] - plain, 3 * (results[1.0] - plain), atol=1e-4, rtol=1e-4)


class TestSelfAttentionGuidance:
    @pytest.mark.parametrize(("scale", "blur"), [(0.0, 2.0), (0.5, 0.0)])
    def test_no_scale_and_no_blur_change_nothing_and_ask_nothing(self, unet, scale, blur):
        x, method = randn(1, 4, 8, 8), SelfAttention(scale, blur)
        found, counted = guided(unet, ModelPatches(GuidancePatches(after=(method,)), method.watching()), x)
        torch.testing.assert_close(found, guided(unet, ModelPatches(), x)[0], atol=1e-4, rtol=1e-4)
        assert counted == [2]

    def test_only_what_is_looked_at_is_blurred(self):
        x, scores = randn(1, 4, 16, 16), torch.zeros(1, 2, 16, 16)
        scores[..., 5] = 1  # all sixteen pixels of the 4 × 4 map look at the one in row 1, column 1
        found = blurred_where_seen(x, scores, 2.0)
        changed = (found != x).any(dim=1)[0]
        assert changed[4:8, 4:8].all()
        changed[4:8, 4:8] = False
        assert not changed.any()

    def test_it_evaluates_the_negative_again_even_at_a_cfg_of_one(self, unet):
        x = randn(1, 4, 8, 8)
        method = SelfAttention(0.5, 2.0)
        patches = ModelPatches(GuidancePatches(after=(method,), need_negative=True), method.watching())
        found, counted = guided(unet, patches, x, cfg=1.0)
        assert counted == [2, 1]
        assert not torch.allclose(found, guided(unet, ModelPatches(), x, cfg=1.0)[0])

    def test_watching_changes_nothing(self, unet):
        x = randn(1, 4, 8, 8)
        watched, _ = guided(unet, ModelPatches(unet=SelfAttention(0.5, 2.0).watching()), x)
        torch.testing.assert_close(watched, guided(unet, ModelPatches(), x)[0], atol=1e-4, rtol=1e-4)


class TestHyperTile:
    def test_cutting_and_joining_gives_the_features_back(self):
        patches = HyperTile(tile_size=32, swap_size=3, max_depth=1, scale_depth=False).patches().self_attention
        for height, width in ((16, 24), (8, 12)):
            x = randn(2, height * width, 3)
            call = call_of(16, 24, prompts=(0, 1))
            cut, key, value = patches.inputs[0](x, x, x, MIDDLE, call)
            assert len(cut) > len(x)
            assert torch.equal(key.reshape(x.shape), x)
            assert torch.equal(value, key)
            assert key.shape == cut.shape
            assert torch.equal(patches.outputs[0](cut, MIDDLE, call), x)

    def test_a_tile_is_a_rectangle_of_the_picture(self):
        patches = HyperTile(tile_size=64, swap_size=1, max_depth=0, scale_depth=False).patches().self_attention
        rows = torch.arange(16.0)[:, None].expand(16, 16).reshape(1, 256, 1)
        cut, keys, _ = patches.inputs[0](rows, rows, rows, MIDDLE, call_of(16, 16))
        assert cut.shape == keys.shape == (4, 64, 1)
        assert [(float(tile.min()), float(tile.max())) for tile in cut] == [(0, 7), (0, 7), (8, 15), (8, 15)]
        assert [(float(strip.min()), float(strip.max())) for strip in keys] == [(0, 3), (4, 7), (8, 11), (12, 15)]

    def test_deeper_features_than_asked_for_are_left_alone(self):
        patches = HyperTile(tile_size=32, swap_size=1, max_depth=0, scale_depth=False).patches().self_attention
        x = randn(1, 64, 3)
        assert patches.inputs[0](x, x, x, MIDDLE, call_of(16, 16))[0] is x
        assert patches.outputs[0](x, MIDDLE, call_of(16, 16)) is x

    @pytest.mark.parametrize(
        ("side", "smallest", "choices", "possible"), [(64, 32, 1, {2}), (64, 32, 2, {2}), (48, 8, 4, {6, 4, 3})]
    )
    def test_parts_are_equal_and_not_too_small(self, side, smallest, choices, possible):
        assert {chosen_count(side, smallest, choices, chance(seed)) for seed in range(30)} == possible


class TestTokenMerging:
    def test_equal_tokens_lose_nothing(self):
        x = torch.ones(2, 64, 3)
        found = merge_of(x, 8, 8, 32, chance())
        assert found.merge(x).shape == (2, 32, 3)
        torch.testing.assert_close(found.unmerge(found.merge(x), 64), x)

    def test_the_most_alike_are_merged_and_the_rest_is_kept(self):
        x = randn(1, 64, 16)
        found = merge_of(x, 8, 8, 5, chance())
        kept = found.unmerge(found.merge(x), 64)[0]
        same = torch.isclose(kept, x[0]).all(dim=-1)
        assert 64 - 10 <= int(same.sum()) < 64  # five merged and at most five centers

    def test_merged_tokens_become_the_mean(self):
        x = randn(1, 16, 4)
        found = merge_of(x, 4, 4, 12, chance())
        averaged = found.unmerge(found.merge(x), 16)
        torch.testing.assert_close(averaged.unique(dim=1).shape[1], 4)
        for value in averaged[0].unique(dim=0):
            members = (averaged[0] == value).all(dim=-1)
            torch.testing.assert_close(value, x[0][members].mean(dim=0))

    def test_a_network_still_gives_a_prediction_of_every_pixel(self, unet):
        x = randn(1, 4, 8, 8)
        plain, _ = guided(unet, ModelPatches(), x)
        merged, _ = guided(unet, ModelPatches(unet=TokenMerging(0.5).patches()), x)
        unmerged, _ = guided(unet, ModelPatches(unet=TokenMerging(0.0).patches()), x)
        assert merged.shape == plain.shape
        assert not torch.allclose(merged, plain)
        torch.testing.assert_close(unmerged, plain)


class TestDownscale:
    @pytest.mark.parametrize(("sigma", "side"), [(10.0, 8), (5.0, 4), (1.0, 8)])
    def test_features_shrink_while_noise_is_in_the_range(self, sigma, side):
        call = Call(torch.tensor(sigma), (0,), 1, (1, 4, 8, 8))
        shrink = Downscale(3, 2.0, first=9.0, last=2.0, method="bicubic")
        assert shrink(randn(1, 2, 8, 8), Place("input", 3), call).shape[2:] == (side, side)
        assert shrink(randn(1, 2, 8, 8), Place("input", 2), call).shape[2:] == (8, 8)

    def test_features_grow_back_to_their_skip_connection(self):
        features, skip = UpscaleToSkip("bilinear")(randn(1, 2, 4, 4), randn(1, 2, 7, 8), MIDDLE, call_of(8, 8))
        assert features.shape[2:] == skip.shape[2:] == (7, 8)
