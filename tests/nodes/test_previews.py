"""Previews are made as the job asks for them."""

import io
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from models.loading.families import SD_LATENT, SDXL_LATENT
from models.preview import latent_to_image, to_jpeg
from models.taesd import TinyAutoencoder, TinyConfig
from nodes.context import Context
from nodes.loaders import vae_loader
from nodes.previews import previewer

LATENT = torch.randn(1, 4, 8, 8)


def asking(context: Context, method: str) -> Context:
    return replace(context, settings=replace(context.settings, preview_method=method, cpu=True))


@pytest.fixture
def approximations(context: Context) -> Path:
    tiny = TinyAutoencoder(TinyConfig(4, 0.18215))
    folder = context.paths.model_directories("vae_approx")[0]
    save_file(tiny.encoder.state_dict(), folder / "taesd_encoder.safetensors")
    save_file(tiny.decoder.state_dict(), folder / "taesd_decoder.safetensors")
    return folder


def test_none_are_made_for_who_wants_none(context: Context) -> None:
    assert previewer(asking(context, "none"), SD_LATENT) is None


@pytest.mark.parametrize("method", ["auto", "latent2rgb"])
def test_channels_are_shown_as_colors(method: str, context: Context) -> None:
    preview = previewer(asking(context, method), SD_LATENT)
    assert preview is not None
    assert preview(LATENT) == to_jpeg(latent_to_image(LATENT, SD_LATENT))


@pytest.mark.usefixtures("approximations")
def test_a_tiny_decoder_shows_more(context: Context) -> None:
    preview = previewer(asking(context, "taesd"), SD_LATENT)
    assert preview is not None
    shown = preview(LATENT)
    assert Image.open(io.BytesIO(shown)).size == (512, 512)
    assert shown != to_jpeg(latent_to_image(LATENT, SD_LATENT))


@pytest.mark.usefixtures("approximations")
def test_without_a_decoder_of_the_family_colors_are_shown_and_the_log_says_why(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        preview = previewer(asking(context, "taesd"), SDXL_LATENT)
    assert preview is not None
    assert preview(LATENT) == to_jpeg(latent_to_image(LATENT, SDXL_LATENT))
    assert "no taesdxl_decoder in models/vae_approx" in caplog.text


def test_a_pair_of_files_is_offered_and_loaded_as_an_autoencoder(context: Context, approximations: Path) -> None:
    assert context.paths.choices("vae") == ["taesd"]
    vae = vae_loader("taesd", asking(context, "auto"))
    with vae.autoencoder.on_device() as network:
        assert isinstance(network, TinyAutoencoder)
        assert network.config.scale == 0.18215
    (approximations / "taesd_encoder.safetensors").unlink()
    assert context.paths.choices("vae") == []
