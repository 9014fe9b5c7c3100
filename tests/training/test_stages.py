"""Every stage takes steps at toy size, can be stopped and goes on, and the export is an ordinary checkpoint."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch

from models.text.clip import ClipText, ClipTextConfig
from models.vae import Autoencoder, AutoencoderConfig
from training.autoencoder import (
    AutoencoderPlan,
    channel_correlation,
    held_out_pictures,
    new_autoencoder,
    psnr,
    train_autoencoder,
)
from training.diffusion import DiffusionPlan, new_unet, noise_batch, noise_weight, train_unet
from training.evaluate import is_red_circle_on_blue
from training.export import SD_LATENT_SCALE, export_checkpoint, fold_latent_scale
from training.judge import JudgePlan, judge_pictures, load_judge, score, train_judge
from training.loop import Recipe, Team, averaged_weights
from training.painter import Painter
from training.presets import unet_config
from training.render import render
from training.scene import Group, Scene
from training.supply import supply
from training.text_encoder import TextPlan, Tokens, full_encoder, train_text_encoder

SIDE = 32
VAE = AutoencoderConfig((8, 8, 8, 8), 1, norm_groups=4)
TEXT = TextPlan(ClipTextConfig(49408, 77, 64, 1, 64), Recipe(2, 4, 1e-3))
DIFFUSION = DiffusionPlan(unet_config(32, (1, 1), 1, 64), Recipe(2, 2, 1e-3))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def autoencoder_plan(steps: int) -> AutoencoderPlan:
    return AutoencoderPlan(VAE, Recipe(steps, 4, 1e-3), SIDE, whole=0.5)


def test_the_autoencoder_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    path = tmp_path / "autoencoder.pt"
    train_autoencoder(Team(), autoencoder_plan(2), path)
    first = torch.load(path, weights_only=True)
    train_autoencoder(Team(), autoencoder_plan(4), path)
    second = torch.load(path, weights_only=True)
    assert (first["step"], second["step"]) == (2, 4)
    Autoencoder(VAE).load_state_dict(averaged_weights(path))


def test_a_rate_warms_up_holds_and_falls_to_its_last_share() -> None:
    recipe = Recipe(100, 1, 1.0, warmup=10, hold=0.5, final_rate=0.1)
    assert recipe.rate_at(0, 0.0) == pytest.approx(0.1)
    assert recipe.rate_at(50, 0.5) == pytest.approx(1.0)
    assert recipe.rate_at(99, 1.0) == pytest.approx(0.1)


def test_channels_that_carry_the_same_correlate_fully_and_independent_ones_do_not() -> None:
    same = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)).repeat(1, 4, 1, 1)
    apart = torch.randn(8, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    assert float(channel_correlation(same)) == pytest.approx(1, abs=1e-2)
    assert float(channel_correlation(apart)) < 0.01


def test_noise_and_target_give_back_the_clean_latent() -> None:
    alphas = torch.linspace(0.99, 0.01, 1000)
    clean = torch.randn(64, 4, 4, 4)
    noisy, target, timesteps = noise_batch(clean, alphas, pure_noise=0.3)
    a = alphas[timesteps][:, None, None, None]
    torch.testing.assert_close((noisy - (1 - a).sqrt() * target) / a.sqrt(), clean, atol=1e-3, rtol=1e-3)


def test_the_weight_grows_with_the_noise() -> None:
    weights = noise_weight(torch.arange(1000), torch.linspace(0.999, 0.005, 1000))
    assert (weights.diff() >= 0).all()
    assert float(weights[-1]) == 4


def test_a_new_unet_predicts_zero_and_a_step_changes_that(tmp_path: Path) -> None:
    network = new_unet(DIFFUSION.config)
    x, t, context = torch.randn(1, 4, 4, 4), torch.tensor([5]), torch.randn(1, 77, 64)
    with torch.no_grad():
        assert float(network(x, t, context).abs().max()) == 0
    latents = torch.randn(6, 4, 4, 4).half()
    train_unet(Team(), DIFFUSION, latents, ClipText(TEXT.config), tmp_path / "unet.pt")
    network.load_state_dict(averaged_weights(tmp_path / "unet.pt"))
    with torch.no_grad():
        assert float(network(x, t, context).abs().max()) > 0


def test_words_outside_the_captions_have_zero_embeddings(tmp_path: Path) -> None:
    train_text_encoder(Team(), TEXT, tmp_path / "text.pt")
    encoder = full_encoder(TEXT, tmp_path / "text.pt")
    table = encoder.text_model.embeddings.token_embedding.weight
    used = Tokens().used
    assert (table[used].abs().sum(dim=1) > 0).all()
    unused = torch.ones(len(table), dtype=torch.bool)
    unused[used] = False
    assert float(table[unused].abs().max()) == 0


def test_the_judge_learns_to_score_and_a_perfect_verdict_scores_full(tmp_path: Path) -> None:
    plan = JudgePlan(Recipe(2, 4, 1e-3), side=64, width=8)
    train_judge(Team(), plan, tmp_path / "judge.pt")
    verdicts = judge_pictures(load_judge(plan, tmp_path / "judge.pt"), held_out_pictures(3, 64))
    assert score(verdicts, verdicts)["WHOLE PROMPTS"] == (3, 3)


def test_folding_the_scale_changes_the_latent_and_not_the_picture() -> None:
    network = new_autoencoder(VAE).eval()
    images = held_out_pictures(2, SIDE)
    with torch.no_grad():
        mean, log_variance = network.encode(images)
        decoded = network.decode(mean)
        fold_latent_scale(network, 0.5)
        folded, folded_log_variance = network.encode(images)
        torch.testing.assert_close(folded * SD_LATENT_SCALE, mean * 0.5)
        torch.testing.assert_close(
            (folded_log_variance / 2).exp() * SD_LATENT_SCALE, (log_variance / 2).exp() * 0.5, atol=1e-5, rtol=1e-4
        )
        torch.testing.assert_close(network.decode(folded), decoded, atol=1e-4, rtol=1e-3)


def test_the_export_is_painted_with_like_any_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    encoder = ClipText(TEXT.config)
    export_checkpoint(new_unet(DIFFUSION.config), new_autoencoder(VAE), encoder, 0.5, held_out_pictures(4, SIDE), path)
    painter = Painter(path, SIDE, steps=2)
    assert painter.vae.autoencoder.device.type == "cpu"
    assert painter.paint("a red circle", seed=1).shape == (SIDE, SIDE, 3)


def test_pixel_colors_tell_a_large_red_circle_on_blue_from_other_pictures() -> None:
    wanted = Scene((Group("circle", "red", 1, "large", "center"),), "blue", "flat")
    others = [
        replace(wanted, backdrop="green"),
        replace(wanted, groups=(Group("star", "red", 1, "large", "center"),)),
        replace(wanted, groups=(Group("circle", "red", 1, "small", "center"),)),
        replace(wanted, groups=(Group("circle", "red", 2, "large", "center"),)),
    ]

    def judged(scene: Scene) -> bool:
        return is_red_circle_on_blue(torch.from_numpy(render(scene, 128, Random(1)).copy()) / 255)

    assert judged(wanted)
    assert not any(judged(scene) for scene in others)


def test_psnr_of_a_tenth_of_the_range_is_twenty_decibels() -> None:
    assert psnr(0.2**2) == pytest.approx(20)


def doubled(number: int) -> int:
    return 2 * number


def test_batches_made_ahead_come_in_the_same_order_as_those_made_here() -> None:
    here, ahead = supply(doubled, 3, workers=0), supply(doubled, 3, workers=1)
    assert [next(here) for _ in range(5)] == [next(ahead) for _ in range(5)] == [6, 8, 10, 12, 14]
