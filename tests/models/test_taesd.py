"""TAESD is the tiny autoencoder of diffusers, in the layout of its own files."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.loading.header import ModelFileError
from models.loading.tiny import load_tiny_autoencoder, load_tiny_decoder
from models.memory import DevicePolicy
from models.preview import decoded_image
from models.taesd import TinyAutoencoder, TinyConfig, name_for
from models.vae_codec import decode, encode

POLICY = DevicePolicy.choose(cpu=True)


@pytest.fixture(scope="module")
def ours() -> TinyAutoencoder:
    torch.manual_seed(1)
    return TinyAutoencoder(TinyConfig(4, 0.18215)).requires_grad_(False)


@pytest.fixture(scope="module")
def files(ours: TinyAutoencoder, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("approximations")
    save_file(ours.encoder.state_dict(), folder / "taesd_encoder.safetensors")
    torch.save(ours.decoder.state_dict(), folder / "taesd_decoder.pth")
    return folder / "taesd_encoder.safetensors", folder / "taesd_decoder.pth"


def test_both_halves_are_those_of_diffusers(ours: TinyAutoencoder) -> None:
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.AutoencoderTiny().requires_grad_(False)

    def name(key: str) -> str:
        """Diffusers counts the decoder's layers without the clamp, which has no parameters."""
        part, place, rest = key.split(".", 2)
        return f"{part}.layers.{int(place) - (part == 'decoder')}.{rest}"

    theirs.load_state_dict({name(key): value for key, value in ours.state_dict().items()})
    images, latent = torch.rand(1, 3, 24, 16) * 2 - 1, torch.randn(1, 4, 3, 2) * 2
    torch.testing.assert_close(ours.encode(images)[0] * 0.18215, theirs.encode(images).latents)
    torch.testing.assert_close(ours.decode(latent / 0.18215), theirs.decode(latent).sample)


def test_it_stands_in_for_an_autoencoder(ours: TinyAutoencoder, files: tuple[Path, Path]) -> None:
    vae = load_tiny_autoencoder(*files, 0.18215, POLICY)
    images = torch.rand(2, 24, 16, 3)
    latent = encode(vae, images)
    torch.testing.assert_close(latent, ours.encoder(images.movedim(-1, 1)) / 0.18215)
    decoded = decode(vae, latent)
    expected = ours.decoder(latent * 0.18215).clamp(0, 1).movedim(1, -1)
    torch.testing.assert_close(decoded, expected)


def test_the_decoder_alone_shows_latents_in_model_scale(
    ours: TinyAutoencoder, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.preview.LARGEST_SIDE", 64)
    decoder = load_tiny_decoder(files[1], POLICY)
    latent: Tensor = torch.randn(2, 4, 8, 4)
    shown = decoded_image(latent, decoder)
    assert shown.size == (32, 64)
    colors = (ours.decoder(latent[:1])[0].clamp(0, 1) * 255).to(torch.uint8)
    assert shown.getpixel((17, 40)) == tuple(colors[:, 40, 17].tolist())


def test_files_of_something_else_are_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    save_file({"other.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelFileError, match=r"other.safetensors .* not a decoder of TAESD"):
        load_tiny_decoder(tmp_path / "other.safetensors", POLICY)
    with pytest.raises(ModelFileError, match="not a TAESD"):
        load_tiny_autoencoder(files[1], files[0], 0.18215, POLICY)


def test_the_scale_tells_the_family() -> None:
    assert [name_for(scale) for scale in (0.18215, 0.13025, 0.5)] == ["taesd", "taesdxl", None]
