"""What inpainting and editing UNets see beside the noisy latent."""

import torch

from models.channels import EditChannels, InpaintChannels
from models.conditioning import Concat, Cond, Occasion
from models.loading.families import SD_LATENT

START = torch.arange(2 * 4 * 4 * 4).reshape(2, 4, 4, 4).float()
TEXT = Cond(torch.zeros(1, 77, 8))
LEFT = torch.zeros(1, 1, 4, 4)
LEFT[..., :2] = 1


def with_picture(latent: torch.Tensor, mask: torch.Tensor | None = None) -> Cond:
    return Cond(torch.zeros(1, 77, 8), concat=Concat(latent, mask))


def test_without_a_mask_everything_is_to_be_painted_over_gray() -> None:
    channels = InpaintChannels(SD_LATENT).channels(TEXT, Occasion(START, 8))
    assert channels.shape == (2, 5, 4, 4)
    assert bool((channels[:, 0] == 1).all())
    assert torch.equal(channels[1, 1:, 2, 3], torch.tensor([0.8223, -0.6876, 0.6364, 0.1380]))


def test_the_mask_and_the_latent_that_are_sampled_are_shown() -> None:
    channels = InpaintChannels(SD_LATENT).channels(TEXT, Occasion(START, 8, mask=LEFT * 0.7))
    assert torch.equal(channels[:, :1], LEFT.repeat(2, 1, 1, 1))
    assert torch.equal(channels[:, 1:], START)


def test_a_prompt_with_a_picture_shows_that_in_model_scale_under_its_own_mask() -> None:
    picture, mask = torch.full((1, 4, 4, 4), 2.0), torch.zeros(1, 1, 32, 32)
    mask[..., 16:] = 1
    channels = InpaintChannels(SD_LATENT).channels(with_picture(picture, mask), Occasion(START, 8, mask=LEFT))
    assert torch.equal(channels[0, 0], 1 - LEFT[0, 0])
    torch.testing.assert_close(channels[:, 1:], torch.full((2, 4, 4, 4), 2 * SD_LATENT.scale))


def test_the_picture_to_edit_is_shown_raw_or_scaled() -> None:
    picture, occasion = torch.full((1, 4, 8, 8), 3.0), Occasion(START, 8)
    torch.testing.assert_close(EditChannels().channels(with_picture(picture), occasion), torch.full_like(START, 3.0))
    scaled = EditChannels(SD_LATENT).channels(with_picture(picture), occasion)
    torch.testing.assert_close(scaled, torch.full_like(START, 3.0 * SD_LATENT.scale))


def test_a_prompt_without_a_picture_to_edit_shows_none() -> None:
    assert not EditChannels().channels(TEXT, Occasion(START, 8)).any()
