"""Laws of the nodes that patch a model: a new value, composable, that samples; the model that came in is untouched."""

import pytest
import torch

from models.sampling.guidance import ClassifierFree
from models.sampling.noise import initial_noise
from models.sampling.run import ksampler_sigmas, sample
from models.sampling.samplers.table import SAMPLERS
from models.types import Model
from models.unet import Level, UNet, UNetConfig
from nodes import model_patches
from tests.models.sampling.fakes import FORMAT, FakeResidence, prompt

SHAPE = (1, 4, 16, 16)
PATCHES = {
    "freeu": lambda model: model_patches.freeu(model),
    "freeu_v2": lambda model: model_patches.freeu_v2(model),
    "perturbed attention": lambda model: model_patches.perturbed_attention_guidance(model),
    "self-attention": lambda model: model_patches.self_attention_guidance(model),
    "hypertile": lambda model: model_patches.hypertile(model, tile_size=32),
    "token merging": lambda model: model_patches.tome_patch_model(model),
    "deep shrink": lambda model: model_patches.patch_model_add_downscale(
        model=model, block_number=1, downscale_method="bicubic", upscale_method="bicubic"
    ),
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    levels = tuple(Level(width, (1,), (1, 1)) for width in (32, 64, 128))
    unet = UNet(UNetConfig(4, 4, 32, levels, 1, 2)).eval().requires_grad_(False)
    return Model(FakeResidence(unet), FORMAT)


def picture(model):
    sigmas = ksampler_sigmas(model, "normal", 3, 1.0, "euler")
    guidance = ClassifierFree(prompt(1.0), prompt(0.0), 4.0)
    noise = initial_noise(SHAPE, 0)
    return sample(model, noise, torch.zeros(SHAPE), guidance, SAMPLERS["euler"], sigmas, 0)


@pytest.mark.parametrize("name", PATCHES)
def test_a_patched_model_makes_another_picture_and_its_original_the_same(model, name):
    before = picture(model)
    patched = PATCHES[name](model)
    assert not torch.allclose(picture(patched), before)
    assert torch.equal(picture(patched), picture(patched))
    assert torch.equal(picture(model), before)


def test_patches_add_up(model):
    first, second = PATCHES["freeu"], PATCHES["perturbed attention"]
    both = picture(second(first(model)))
    assert not torch.allclose(both, picture(first(model)))
    assert not torch.allclose(both, picture(second(model)))
