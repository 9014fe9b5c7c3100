"""What nodes that sample do with the latent that they get."""

import pytest
import torch

from models.types import Latent
from nodes.context import Context
from nodes.latent import empty_latent_image, empty_sd3_latent_image
from nodes.sampling import ksampler
from tests.models.sampling.fakes import model_of, prompt


def sampled(latent: Latent, context: Context) -> Latent:
    return ksampler(
        model=model_of(lambda x, timesteps, context: x * 0.5), seed=3, steps=2, sampler_name="euler",
        scheduler="normal",
        positive=prompt(1.0), negative=prompt(0.0), latent_image=latent, context=context,
    )  # fmt: skip


def test_a_blank_latent_takes_the_models_channels(context: Context) -> None:
    expected = sampled(empty_latent_image(64, 48, 2), context).samples
    assert torch.equal(sampled(empty_sd3_latent_image(64, 48, 2), context).samples, expected)


def test_a_latent_of_another_family_that_is_not_blank_is_refused(context: Context) -> None:
    with pytest.raises(ValueError, match="4 channels"):
        sampled(Latent(torch.ones(1, 16, 6, 8)), context)
