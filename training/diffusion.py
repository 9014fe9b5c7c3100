"""Trains the UNet to tell the noise in latents, guided by captions made up afresh at every step."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn

from models.sampling.levels import scaled_linear_alphas_bar
from models.text.clip import ClipText
from models.unet import ResBlock, SpatialTransformer, UNet, UNetConfig
from training.captions import caption
from training.latents import scene_of
from training.loop import Recipe, Team, Trainer, averaged_weights
from training.supply import supply
from training.text_encoder import Tokens, insert_unknown


@dataclass(frozen=True)
class DiffusionPlan:
    """What is trained and how; the shares are of all samples."""

    config: UNetConfig
    recipe: Recipe
    no_caption: float = 0.1
    unknown_words: float = 0.1
    pure_noise: float = 0.03
    save_every: float = 180.0


def train_unet(team: Team, plan: DiffusionPlan, latents: Tensor, encoder: ClipText, path: Path) -> None:
    """Train (or go on training) on scaled latents (n, c, h, w), and save at `path`."""
    torch.manual_seed(3)
    network = new_unet(plan.config).to(team.device)
    trainer = Trainer(network, plan.recipe, team, path, "UNet")
    encoder = encoder.to(team.device)
    batches = supply(partial(captioned_batch, plan, team, Tokens(), len(latents)), trainer.step, team.workers)
    alphas_bar = scaled_linear_alphas_bar().float().to(team.device)
    torch.manual_seed(trainer.step * team.size + team.rank)
    quarters = torch.zeros(2, 4, device=team.device)
    saved = time.monotonic()
    while not trainer.done:
        chosen, encoded = next(batches)
        clean = latents[chosen].to(team.device).float()
        noisy, target, timesteps = noise_batch(clean, alphas_bar, plan.pure_noise)
        context = caption_features(team, encoder, encoded)
        with team.autocast():
            predicted = network(noisy, timesteps, context)
        errors = (predicted.float() - target).square().mean(dim=(1, 2, 3))
        trainer.update((errors * noise_weight(timesteps, alphas_bar)).mean())
        quarters += torch.stack(
            [_by_quarter(errors.detach(), timesteps), _by_quarter(torch.ones_like(errors), timesteps)]
        )
        if trainer.step % 50 == 0:
            losses = quarters[0] / quarters[1].clamp(min=1)
            trainer.report(**{f"q{i}": float(loss) for i, loss in enumerate(losses)})
            quarters.zero_()
        if time.monotonic() - saved > plan.save_every:
            trainer.save()
            saved = time.monotonic()
    trainer.save()


def captioned_batch(
    plan: DiffusionPlan, team: Team, tokens: Tokens, pictures: int, index: int
) -> tuple[Tensor, Tensor]:
    """Choose pictures by lot, and a new caption for each, some of them empty: numbers (b,) and tokens (b, 77)."""
    rng = Random(f"diffusion {team.rank} {index}")
    chosen = [rng.randrange(pictures) for _ in range(team.share(plan.recipe.batch))]
    texts = ["" if rng.random() < plan.no_caption else caption(scene_of(number)[0], rng).text for number in chosen]
    encoded = tokens.encode(texts)
    for i, text in enumerate(texts):
        if text and rng.random() < plan.unknown_words:
            encoded[i] = insert_unknown(encoded[i], rng)
    return torch.tensor(chosen), encoded


@torch.no_grad()
def caption_features(team: Team, encoder: ClipText, encoded: Tensor) -> Tensor:
    """Return the features (b, 77, width) that the UNet attends to."""
    with team.autocast():
        return encoder(encoded.to(team.device)).hidden.float()


def new_unet(config: UNetConfig) -> UNet:
    """Build a UNet whose residual branches and output start at zero."""
    network = UNet(config)
    last: list[nn.Module] = [network.out[2]]
    for module in network.modules():
        if isinstance(module, ResBlock):
            last.append(module.out_layers[3])
        elif isinstance(module, SpatialTransformer):
            last.append(module.proj_out)
    for layer in last:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
    return network


def noise_batch(clean: Tensor, alphas_bar: Tensor, pure_noise: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return noisy latents, the noise to be told, and timesteps (b,).

    A share of the samples is noise alone at the last timestep: there the schedule leaves a trace of the mean color,
    and a network that relies on it cannot begin from pure noise.
    """
    count = len(clean)
    timesteps = torch.randint(0, len(alphas_bar), (count,), device=clean.device)
    pure = torch.rand(count, device=clean.device) < pure_noise
    timesteps[pure] = len(alphas_bar) - 1
    signal = alphas_bar[timesteps].sqrt()[:, None, None, None]
    spread = (1 - alphas_bar[timesteps]).sqrt()[:, None, None, None]
    noise = torch.randn_like(clean)
    noisy = torch.where(pure[:, None, None, None], noise, signal * clean + spread * noise)
    return noisy, (noisy - signal * clean) / spread, timesteps


def noise_weight(timesteps: Tensor, alphas_bar: Tensor) -> Tensor:
    """Weigh samples by noise: less where little noise hides little, more where the layout is decided.

    Below sigma 0.447 this is min-SNR-5, arXiv:2303.09556; above 1 it grows with sigma up to 4.
    """
    alphas = alphas_bar[timesteps]
    sigma = ((1 - alphas) / alphas).sqrt()
    low = (5 * sigma.square()).clamp(0.1, 1)
    return torch.where(sigma < 1, low, sigma.clamp(max=4))


def _by_quarter(values: Tensor, timesteps: Tensor) -> Tensor:
    return torch.zeros(4, device=values.device).index_add_(0, timesteps // 250, values)


def load_unet(config: UNetConfig, path: Path) -> UNet:
    """Build the UNet with its averaged weights."""
    network = UNet(config)
    network.load_state_dict(averaged_weights(path))
    return network.eval().requires_grad_(False)
