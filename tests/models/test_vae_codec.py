"""Pictures to latents and back."""

import pytest
import torch

from models.loading.load import Checkpoint
from models.types import Vae
from models.vae_codec import decode, encode


@pytest.fixture(scope="module")
def vae(tiny: Checkpoint) -> Vae:
    assert tiny.vae is not None
    return tiny.vae


def test_a_picture_becomes_a_latent_of_an_eighth_of_its_sides(vae: Vae) -> None:
    latent = encode(vae, torch.rand(2, 24, 16, 3))
    assert latent.shape == (2, 4, 3, 2)
    assert latent.dtype == torch.float32


def test_encoding_draws_no_noise_and_takes_the_mean(vae: Vae) -> None:
    images = torch.rand(1, 16, 16, 3)
    with vae.autoencoder.on_device() as autoencoder:
        mean, _ = autoencoder.encode(images.movedim(-1, 1) * 2 - 1)
    torch.testing.assert_close(encode(vae, images), mean)


def test_sides_are_cropped_about_the_center(vae: Vae) -> None:
    images = torch.rand(1, 16 + 5, 24 + 2, 3)
    assert torch.equal(encode(vae, images), encode(vae, images[:, 2:18, 1:25]))


def test_an_alpha_channel_does_not_count(vae: Vae) -> None:
    images = torch.rand(1, 16, 16, 4)
    assert torch.equal(encode(vae, images), encode(vae, images[..., :3]))


def test_a_picture_too_small_for_a_latent_is_refused(vae: Vae) -> None:
    with pytest.raises(ValueError, match="7 × 16 pixels"):
        encode(vae, torch.rand(1, 16, 7, 3))


def test_a_latent_becomes_a_picture_within_0_and_1(vae: Vae) -> None:
    pixels = decode(vae, torch.randn(2, 4, 3, 2) * 100)
    assert pixels.shape == (2, 24, 16, 3)
    assert pixels.dtype == torch.float32
    assert pixels.is_contiguous()
    assert pixels.min() >= 0
    assert pixels.max() <= 1


def test_what_the_decoder_says_is_moved_from_between_minus_one_and_one(vae: Vae) -> None:
    latent = torch.randn(1, 4, 2, 2)
    with vae.autoencoder.on_device() as autoencoder:
        expected = ((autoencoder.decode(latent) + 1) / 2).clamp(0, 1).movedim(1, -1)
    torch.testing.assert_close(decode(vae, latent), expected)


def test_latents_of_another_family_are_refused(vae: Vae) -> None:
    with pytest.raises(ValueError, match="16 channels"):
        decode(vae, torch.randn(1, 16, 2, 2))


def test_little_memory_makes_smaller_batches_and_the_same_pictures(vae: Vae, monkeypatch: pytest.MonkeyPatch) -> None:
    latents, images = torch.randn(3, 4, 2, 2), torch.rand(3, 16, 16, 3)
    expected = decode(vae, latents), encode(vae, images)
    monkeypatch.setattr("models.vae_codec.free_bytes", lambda device: 0)
    torch.testing.assert_close(decode(vae, latents), expected[0])
    torch.testing.assert_close(encode(vae, images), expected[1])
