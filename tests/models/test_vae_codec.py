"""Pictures to latents and back."""

import pytest
import torch

from models.loading.load import Checkpoint
from models.types import Vae
from models.vae_codec import WORKING_SET, decode, decode_tiled, encode, encode_tiled


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


def test_tiles_cover_the_whole_picture_and_fade_into_what_it_is_at_once(vae: Vae) -> None:
    """Random weights let the middle attention see far; the size and the mean are what can be told."""
    latent = torch.randn(1, 4, 24, 20)
    whole, tiled = decode(vae, latent), decode_tiled(vae, latent, 16, 4)
    assert tiled.shape == whole.shape
    assert (tiled - whole).abs().mean() < 0.2
    images = torch.rand(1, 192, 160, 3)
    assert encode_tiled(vae, images, 128, 32).shape == encode(vae, images).shape


def test_a_tile_as_large_as_the_picture_changes_nothing(vae: Vae) -> None:
    latent, images = torch.randn(2, 4, 3, 2), torch.rand(2, 24, 16, 3)
    torch.testing.assert_close(decode_tiled(vae, latent, 64, 16), decode(vae, latent))
    torch.testing.assert_close(encode_tiled(vae, images, 512, 64), encode(vae, images))


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA"), RuntimeError("can't allocate memory: 9 bytes")])
def test_what_does_not_fit_at_once_is_done_in_tiles(
    vae: Vae, monkeypatch: pytest.MonkeyPatch, error: RuntimeError
) -> None:
    sizes: list[int] = []
    with vae.autoencoder.on_device() as autoencoder:
        decoder = autoencoder.decode

    def small_only(latents: torch.Tensor) -> torch.Tensor:
        sizes.append(latents.shape[-1])
        if latents.shape[-1] > 64:
            raise error
        return decoder(latents)

    monkeypatch.setattr(autoencoder, "decode", small_only)
    monkeypatch.setattr("models.vae_codec.DECODER_TILE", 32)
    told: list[tuple[int, int]] = []
    pixels = decode(vae, torch.randn(1, 4, 2, 70), lambda done, total: told.append((done, total)))
    assert pixels.shape == (1, 16, 560, 3)
    assert sizes[0] == 70
    assert told[-1] == (len(sizes) - 1, len(sizes) - 1)


def test_what_the_machine_cannot_hold_is_not_tried_at_once(vae: Vae, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.vae_codec.free_bytes", lambda device: 0)
    monkeypatch.setattr("models.vae_codec.DECODER_TILE", 32)
    told: list[tuple[int, int]] = []
    decode(vae, torch.randn(1, 4, 2, 70), lambda done, total: told.append((done, total)))
    assert len(told) > 1


def test_pictures_that_go_one_by_one_are_reported_and_may_be_the_last(
    vae: Vae, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vae.autoencoder.on_device() as autoencoder:
        finest = 8 * 8 * autoencoder.config.level_channels[0]
    monkeypatch.setattr("models.vae_codec.free_bytes", lambda device: 2 * 2 * finest * WORKING_SET * 4)
    told: list[tuple[int, int]] = []

    def stop_at_second(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        decode(vae, torch.randn(3, 4, 2, 2), stop_at_second)
    assert told == [(1, 3), (2, 3)]
