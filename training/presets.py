"""The sizes of a run: `cpu` made the bundled checkpoint on two cores, `gpu` is for a large GPU, `smoke` a rehearsal."""

from dataclasses import dataclass

from models.text.clip import ClipTextConfig
from models.unet import Level, UNetConfig
from models.vae import AutoencoderConfig
from training.autoencoder import AutoencoderPlan
from training.diffusion import DiffusionPlan
from training.judge import JudgePlan
from training.latents import LatentPlan
from training.loop import Recipe
from training.text_encoder import CLIP_VOCABULARY, POSITIONS, TextPlan


@dataclass(frozen=True)
class Preset:
    """The plan of every stage, and how many processes share the work on a CPU."""

    side: int
    processes: int
    text: TextPlan
    autoencoder: AutoencoderPlan
    latents: LatentPlan
    diffusion: DiffusionPlan
    decoder: AutoencoderPlan
    judge: JudgePlan


def unet_config(channels: int, multipliers: tuple[int, ...], blocks: int, context: int) -> UNetConfig:
    """Describe a UNet of SD 1.x's kind with attention everywhere but at its finest level."""
    levels = tuple(
        Level(channels * multiplier, (int(i > 0),) * blocks, (int(i > 0),) * (blocks + 1))
        for i, multiplier in enumerate(multipliers)
    )
    return UNetConfig(4, 4, channels, levels, middle_depth=1, context_dim=context)


def cpu_preset() -> Preset:
    """128 × 128 pictures; about two hours on two quiet cores."""
    config = AutoencoderConfig((32, 32, 64, 128), 1, norm_groups=8)
    return Preset(
        side=128,
        processes=2,
        text=TextPlan(
            ClipTextConfig(CLIP_VOCABULARY, POSITIONS, 128, 3, 512),
            Recipe(3200, 128, 2e-3, final_rate=0.005, average=0.99),
        ),
        autoencoder=AutoencoderPlan(
            config,
            Recipe(6900, 16, 1.6e-3, average=0.995),
            side=128,
        ),
        latents=LatentPlan(30_000, 128),
        diffusion=DiffusionPlan(
            unet_config(64, (1, 2, 3), 1, 128), Recipe(5300, 64, 1e-3, warmup=100, hold=0.5, average=0.9985)
        ),
        decoder=AutoencoderPlan(config, Recipe(1500, 16, 5e-4, average=0.995), 128, whole=0, decoder_only=True),
        judge=JudgePlan(Recipe(1500, 64, 1.5e-3, average=0.99), side=128),
    )


def gpu_preset() -> Preset:
    """256 × 256 pictures; sized for 25 minutes on one H200, which was not available to try it."""
    config = AutoencoderConfig((64, 64, 128, 256), 1, norm_groups=16)
    return Preset(
        side=256,
        processes=1,
        text=TextPlan(
            ClipTextConfig(CLIP_VOCABULARY, POSITIONS, 256, 4, 1024),
            Recipe(6000, 512, 1e-3, final_rate=0.005, warmup=200, average=0.995),
        ),
        autoencoder=AutoencoderPlan(
            config,
            Recipe(6000, 64, 1e-3, warmup=100, average=0.998),
            side=256,
        ),
        latents=LatentPlan(120_000, 256),
        diffusion=DiffusionPlan(
            unet_config(96, (1, 2, 3), 2, 256), Recipe(4000, 512, 1e-3, warmup=200, hold=0.5, average=0.999)
        ),
        decoder=AutoencoderPlan(config, Recipe(1000, 64, 5e-4, average=0.998), 256, whole=0, decoder_only=True),
        judge=JudgePlan(Recipe(3000, 256, 1.5e-3, average=0.995), side=256),
    )


def smoke_preset() -> Preset:
    """Every stage for a few steps: shows that the chain runs, not that anything is learned."""
    config = AutoencoderConfig((32, 32, 32, 32), 1, norm_groups=8)
    return Preset(
        side=128,
        processes=2,
        text=TextPlan(ClipTextConfig(CLIP_VOCABULARY, POSITIONS, 64, 1, 128), Recipe(16, 16, 2e-3)),
        autoencoder=AutoencoderPlan(config, Recipe(20, 8, 1.5e-3), side=128),
        latents=LatentPlan(500, 128),
        diffusion=DiffusionPlan(unet_config(32, (1, 2, 2), 1, 64), Recipe(40, 8, 1e-3)),
        decoder=AutoencoderPlan(config, Recipe(5, 8, 1e-3), 128, whole=0, decoder_only=True),
        judge=JudgePlan(Recipe(20, 16, 1.5e-3), side=128, width=16),
    )


def presets() -> dict[str, Preset]:
    """All presets by name."""
    return {"cpu": cpu_preset(), "gpu": gpu_preset(), "smoke": smoke_preset()}
