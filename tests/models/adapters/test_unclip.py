"""The vector of picture prompts agrees with what diffusers' pipeline makes, and adds up as it should."""

import pytest
import torch
from diffusers.models.embeddings import get_timestep_embedding
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor

from models.adapters.unclip import SEED_DISTANCE, EmbeddingNoise, PictureVector, cosine_alphas_bar
from models.conditioning import Cond, ImagePrompt, Occasion

WIDTH = 16
OCCASION = Occasion(torch.zeros(1, 4, 8, 8), stride=8, seed=7)


def noise() -> EmbeddingNoise:
    generator = torch.Generator().manual_seed(1)
    return EmbeddingNoise(torch.randn(1, WIDTH, generator=generator), torch.rand(1, WIDTH, generator=generator) + 0.5)


def cond(*images: ImagePrompt) -> Cond:
    return Cond(torch.zeros(1, 3, 4), images=images)


def test_the_schedule_is_that_of_diffusers() -> None:
    theirs = DDPMScheduler(beta_schedule="squaredcos_cap_v2").alphas_cumprod
    torch.testing.assert_close(cosine_alphas_bar(), theirs, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("augmentation", [0.0, 0.3, 1.0])
def test_a_picture_is_made_noisy_as_in_diffusers(augmentation: float) -> None:
    statistics, embed = noise(), torch.randn(1, WIDTH)
    level = torch.tensor([round(999 * augmentation)])
    drawn = torch.randn(1, WIDTH, generator=torch.Generator().manual_seed(5))
    scheduler = DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    noisy: Tensor = scheduler.add_noise((embed - statistics.mean) / statistics.std, drawn, level)  # pyright: ignore
    told = get_timestep_embedding(level, WIDTH, flip_sin_to_cos=True, downscale_freq_shift=0)
    expected = torch.cat([noisy * statistics.std + statistics.mean, told], dim=1)
    torch.testing.assert_close(statistics.noisy(embed, augmentation, 5), expected, rtol=1e-4, atol=1e-5)


def test_a_prompt_without_pictures_has_a_vector_of_zeros() -> None:
    assert torch.equal(PictureVector(noise()).vector(cond(), OCCASION), torch.zeros(1, 2 * WIDTH))


def test_the_strength_of_one_picture_scales_its_vector() -> None:
    embed = torch.randn(1, WIDTH)
    whole = PictureVector(noise()).vector(cond(ImagePrompt(embed)), OCCASION)
    half = PictureVector(noise()).vector(cond(ImagePrompt(embed, strength=0.5)), OCCASION)
    torch.testing.assert_close(half, whole / 2)


def test_several_pictures_are_summed_and_made_noisy_once_more() -> None:
    rule, first, second = PictureVector(noise()), torch.randn(1, WIDTH), torch.randn(1, WIDTH)
    seed = OCCASION.seed + SEED_DISTANCE + 2**64
    total = rule.noise.noisy(first, 0, seed) + 2 * rule.noise.noisy(second, 0, seed)
    expected = rule.noise.noisy(total[:, :WIDTH], 0.05, seed)
    found = rule.vector(cond(ImagePrompt(first), ImagePrompt(second, strength=2.0)), OCCASION)
    torch.testing.assert_close(found, expected)


def test_an_embedding_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="20 wide, the model takes 16"):
        PictureVector(noise()).vector(cond(ImagePrompt(torch.zeros(1, 20))), OCCASION)
