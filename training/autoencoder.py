"""Trains the autoencoder on rendered pictures: crops with contrast first, whole pictures at the end."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vae import AttnBlock, Autoencoder, AutoencoderConfig, ResnetBlock
from training.loop import Recipe, Team, Trainer
from training.render import render
from training.scene import sample_scene
from training.supply import supply

HELD_OUT_SEED = 1_000_000_000
INITIAL_LOG_VARIANCE = -5.0


@dataclass(frozen=True)
class AutoencoderPlan:
    """What is trained and how: crops of half a side until `whole` of the budget, then whole pictures.

    With `decoder_only` the encoder stays as it is and latents get some noise, as those of the UNet have.
    """

    config: AutoencoderConfig
    recipe: Recipe
    side: int
    whole: float = 0.55
    kl_weight: float = 1e-3
    mixing_weight: float = 0.05
    guided: float = 0.15
    decoder_only: bool = False
    latent_noise: float = 0.08
    save_every: float = 180.0


def train_autoencoder(team: Team, plan: AutoencoderPlan, path: Path, start: dict[str, Tensor] | None = None) -> None:
    """Train (or go on training) and save at `path`; `start` has weights to begin with instead of new ones."""
    torch.manual_seed(0)
    network = new_autoencoder(plan.config).to(team.device)
    if start is not None:
        network.load_state_dict(start)
    if plan.decoder_only:
        network.encoder.requires_grad_(False)
        network.quant_conv.requires_grad_(False)
    trainer = Trainer(network, plan.recipe, team, path, "decoder" if plan.decoder_only else "autoencoder")
    torch.manual_seed(trainer.step * team.size + team.rank)
    quarters = supply(partial(quarter_batch, plan, team), 4 * trainer.step, team.workers)
    saved = time.monotonic()
    while not trainer.done:
        images = training_batch(quarters, plan, trainer.progress).to(team.device)
        loss, numbers = autoencoder_loss(team, plan, network, images, trainer.progress)
        trainer.update(loss)
        if trainer.step % 25 == 0:
            trainer.report(**{name: float(value) for name, value in numbers.items()})
        if time.monotonic() - saved > plan.save_every:
            trainer.save()
            saved = time.monotonic()
    trainer.save()


def autoencoder_loss(
    team: Team, plan: AutoencoderPlan, network: Autoencoder, images: Tensor, progress: float
) -> tuple[Tensor, dict[str, Tensor | float]]:
    """Return the loss of one batch (b, 3, h, w) in -1..1, and what is worth watching."""
    with team.autocast():
        mean, log_variance = network.encode(images)
        mean, log_variance = mean.float(), log_variance.float().clamp(-20, 10)
        spread = plan.latent_noise * mean.std() if plan.decoder_only else (log_variance / 2).exp()
        decoded = network.decode(mean + torch.randn_like(mean) * spread)
    loss, error = reconstruction_loss(decoded.float(), images)
    watched = {"psnr": psnr(float(error)), "rms": mean.detach().square().mean().sqrt()}
    if plan.decoder_only:
        return loss, watched
    guidance = color_guidance(mean, images) * max(0.0, 1 - progress / plan.guided)
    mixing = channel_correlation(mean)
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    watched |= {"kl": divergence.detach(), "mixing": mixing.detach()}
    return loss + guidance + plan.kl_weight * divergence + plan.mixing_weight * mixing, watched


def new_autoencoder(config: AutoencoderConfig) -> Autoencoder:
    """Build an autoencoder whose latent starts nearly without noise and whose residual branches start at zero."""
    network = Autoencoder(config)
    for module in network.modules():
        if isinstance(module, ResnetBlock):
            nn.init.zeros_(module.conv2.weight)
        elif isinstance(module, AttnBlock):
            nn.init.zeros_(module.proj_out.weight)
    channels = config.latent_channels
    with torch.no_grad():
        network.quant_conv.weight[channels:] = 0
        assert network.quant_conv.bias is not None
        network.quant_conv.bias[channels:] = INITIAL_LOG_VARIANCE
    return network


def reconstruction_loss(decoded: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss (absolute, squared, edge and mean-color errors) and the mean squared error, in -1..1."""
    difference = decoded - images
    colors = F.avg_pool2d(difference, 8).abs().mean()
    edges = difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
    squared = difference.square().mean()
    return difference.abs().mean() + colors + 0.5 * edges + 2 * squared, squared.detach()


def color_guidance(means: Tensor, images: Tensor) -> Tensor:
    """Return how far the first three latent channels are from the mean brightness and tints of their squares of pixels.

    Left alone, all channels learn to carry brightness and the tints come thousands of steps later; so the first steps
    are told to carry them.
    """
    red, green, blue = F.adaptive_avg_pool2d(images, (means.shape[2], means.shape[3])).unbind(1)
    targets = torch.stack([red + green + blue, 2 * (red - blue), 2 * green - red - blue], dim=1)
    return F.smooth_l1_loss(means[:, :3], targets)


def channel_correlation(means: Tensor) -> Tensor:
    """Return the mean squared correlation between different latent channels (b, c, h, w), 0 to 1."""
    values = means.transpose(0, 1).flatten(1)
    values = values - values.mean(dim=1, keepdim=True)
    values = values / (values.square().mean(dim=1, keepdim=True).sqrt() + 1e-4)
    correlation = values @ values.T / values.shape[1]
    return correlation.triu(1).square().sum() * 2 / (len(correlation) * (len(correlation) - 1))


def psnr(squared_error: float) -> float:
    """Convert the mean squared error of pictures in -1..1 to decibels."""
    return 10 * math.log10(4 / max(squared_error, 1e-12))


def quarter_batch(plan: AutoencoderPlan, team: Team, index: int) -> tuple[Tensor, Tensor]:
    """Render a quarter of a batch: whole pictures and a crop of each, (b, 3, h, w) in -1..1."""
    rng = Random(f"autoencoder {team.rank} {index}")
    pictures = [render(sample_scene(rng), plan.side, rng) for _ in range(max(1, team.share(plan.recipe.batch) // 4))]
    return to_tensor(pictures), to_tensor([_crop(picture, rng) for picture in pictures])


def training_batch(quarters: Iterator[tuple[Tensor, Tensor]], plan: AutoencoderPlan, progress: float) -> Tensor:
    """Return a batch of crops, or at the end a quarter as many whole pictures, which cost the same."""
    if progress >= plan.whole:
        return next(quarters)[0]
    return torch.cat([next(quarters)[1] for _ in range(4)])


def _crop(picture: np.ndarray, rng: Random) -> np.ndarray:
    """Cut out a quarter of a picture, most often the more contrasted of two."""
    half = picture.shape[0] // 2
    best, contrast = picture[:half, :half], -1.0
    for _ in range(2 if rng.random() < 0.75 else 1):
        x, y = rng.randint(0, half), rng.randint(0, half)
        crop = picture[y : y + half, x : x + half]
        if (found := float(crop[::4, ::4].std(axis=(0, 1)).sum())) > contrast:
            best, contrast = crop, found
    return best


def to_tensor(pictures: list[np.ndarray]) -> Tensor:
    """Stack uint8 pictures (h, w, 3) to (b, 3, h, w) in -1..1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()


def to_pictures(images: Tensor) -> np.ndarray:
    """Convert (b, 3, h, w) in -1..1 to uint8 pictures (b, h, w, 3)."""
    return images.float().add(1).mul(127.5).round().clamp(0, 255).permute(0, 2, 3, 1).byte().cpu().numpy()


def held_out_pictures(count: int, side: int) -> Tensor:
    """Render pictures that no stage trains on, (b, 3, side, side) in -1..1."""
    rngs = [Random(HELD_OUT_SEED + i) for i in range(count)]
    return to_tensor([render(sample_scene(rng), side, rng) for rng in rngs])


@torch.no_grad()
def measure_psnr(network: Autoencoder, images: Tensor) -> float:
    """Return the mean over pictures of the reconstruction's PSNR, rounded to 8 bits as a saved file is."""
    values: list[float] = []
    for part in images.split(16):
        decoded = network.decode(network.encode(part)[0]).float().clamp(-1, 1)
        decoded = decoded.add(1).mul(127.5).round().div(127.5).sub(1)
        values += [psnr(float(error)) for error in (decoded - part).square().mean(dim=(1, 2, 3))]
    return sum(values) / len(values)


@torch.no_grad()
def latent_scale(network: Autoencoder, images: Tensor) -> float:
    """Return the factor that gives latents unit mean square."""
    means = torch.cat([network.encode(part)[0].float() for part in images.split(16)])
    return float(means.square().mean().rsqrt())


def load_autoencoder(config: AutoencoderConfig, state: dict[str, Tensor]) -> Autoencoder:
    """Build the autoencoder from saved weights."""
    network = Autoencoder(config)
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)
