"""The stages of a run in order; each reads and writes files in the run's folder, so that a stopped run goes on."""

from pathlib import Path

from models.vae import Autoencoder
from training.autoencoder import held_out_pictures, latent_scale, load_autoencoder, train_autoencoder
from training.diffusion import load_unet, train_unet
from training.evaluate import report
from training.export import export_checkpoint
from training.grid import paint_grid
from training.judge import train_judge
from training.latents import encode_pictures, load_latents
from training.loop import Team, averaged_weights, together
from training.painter import Painter
from training.presets import Preset
from training.text_encoder import full_encoder, train_text_encoder

STAGES = ("text", "autoencoder", "latents", "unet", "decoder", "export", "judge", "evaluate")
FILE = "weft-tiny.safetensors"


def run_stage(stage: str, preset: Preset, run: Path, prompts: int) -> None:
    """Run one stage, or what is left of it; the evaluation paints so many prompts."""
    match stage:
        case "text":
            together(1, train_text_encoder, preset.text, run / "text_encoder.pt")
        case "autoencoder":
            together(preset.processes, train_autoencoder, preset.autoencoder, run / "autoencoder.pt")
        case "latents":
            together(preset.processes, _encode_pictures, preset, run)
        case "unet":
            together(preset.processes, _train_unet, preset, run)
        case "decoder":
            together(preset.processes, _train_decoder, preset, run)
        case "export":
            _export(preset, run)
        case "judge":
            together(preset.processes, train_judge, preset.judge, run / "judge.pt")
        case "evaluate":
            painter = Painter(run / FILE, preset.side)
            paint_grid(painter, 0).save(run / "grid.png")
            scores = report(painter, preset, run, prompts)
            (run / "scores.md").write_text(scores + "\n")
            print(scores)


def _autoencoder(preset: Preset, run: Path) -> Autoencoder:
    """The autoencoder that the latents were made with."""
    return load_autoencoder(preset.autoencoder.config, averaged_weights(run / "autoencoder.pt"))


def _encode_pictures(team: Team, preset: Preset, run: Path) -> None:
    encode_pictures(team, preset.latents, _autoencoder(preset, run), run / "latents")


def _train_unet(team: Team, preset: Preset, run: Path) -> None:
    scale = latent_scale(_autoencoder(preset, run), held_out_pictures(256, preset.side))
    latents = load_latents(preset.latents, run / "latents") * scale
    encoder = full_encoder(preset.text, run / "text_encoder.pt")
    train_unet(team, preset.diffusion, latents, encoder, run / "unet.pt")


def _train_decoder(team: Team, preset: Preset, run: Path) -> None:
    train_autoencoder(team, preset.decoder, run / "decoder.pt", averaged_weights(run / "autoencoder.pt"))


def _export(preset: Preset, run: Path) -> None:
    pictures = held_out_pictures(256, preset.side)
    scale = latent_scale(_autoencoder(preset, run), pictures)
    tuned = run / "decoder.pt"
    weights = averaged_weights(tuned if tuned.exists() else run / "autoencoder.pt")
    export_checkpoint(
        load_unet(preset.diffusion.config, run / "unet.pt"),
        load_autoencoder(preset.autoencoder.config, weights),
        full_encoder(preset.text, run / "text_encoder.pt"),
        scale,
        pictures,
        run / FILE,
    )
