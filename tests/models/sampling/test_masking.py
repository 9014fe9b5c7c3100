"""Laws of noise masks."""

import pytest
import torch

from models.sampling.denoiser import EpsPrediction
from models.sampling.masking import Masked, mask_like, noise_of_kept_part
from models.sampling.noise import initial_noise
from tests.models.sampling.fakes import Both

LATENT = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(1, 1, 64, 64), (1, 64, 64), (64, 64), (2, 1, 8, 8)])
def test_a_mask_of_any_size_fits_the_latent(shape):
    mask = mask_like(torch.ones(shape), LATENT)
    torch.testing.assert_close(mask, torch.ones(2, 1, 8, 8))


def test_masks_are_repeated_over_the_batch():
    masks = torch.stack([torch.zeros(8, 8), torch.ones(8, 8)])
    repeated = mask_like(masks, LATENT.repeat(2, 1, 1, 1)[:3])
    assert repeated.mean(dim=(1, 2, 3)).tolist() == [0, 1, 0]


def test_what_the_mask_leaves_out_is_kept_and_shown_with_its_noise():
    seen = []

    def denoise(x, sigma):
        seen.append(x)
        return torch.full_like(x, 9.0)

    mask = torch.zeros(2, 1, 8, 8)
    mask[..., :4] = 1
    noise, sigma = torch.full_like(LATENT, 2.0), torch.tensor(3.0)
    estimate = Masked(Both(denoise), EpsPrediction(), mask, LATENT, noise)(torch.full_like(LATENT, 5.0), sigma)
    assert (estimate[..., :4] == 9).all()
    torch.testing.assert_close(estimate[..., 4:], LATENT[..., 4:])
    assert (seen[0][..., :4] == 5).all()
    torch.testing.assert_close(seen[0][..., 4:], LATENT[..., 4:] + 6)


def test_a_gray_mask_mixes_by_shares():
    denoise = Masked(Both(lambda x, sigma: x * 0), EpsPrediction(), torch.full((2, 1, 8, 8), 0.25), LATENT, LATENT * 0)
    torch.testing.assert_close(denoise(LATENT, torch.tensor(1.0)), LATENT * 0.75)


def test_renewed_noise_is_that_of_the_next_seed():
    assert torch.equal(noise_of_kept_part(LATENT, 7), initial_noise(LATENT.shape, 8))
