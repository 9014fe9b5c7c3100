"""Pictures as prompts: seen by CLIP, added to conditioning, heard by unCLIP checkpoints and by SDXL."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.adapters.unclip import PictureVector
from models.conditioning import Cond, ImagePrompt, Occasion
from models.loading.header import ModelFileError
from models.vectors import SizesVector
from models.vision import ClipVision, Seen
from nodes.clip_vision import (
    clip_vision_encode,
    clip_vision_loader,
    unclip_checkpoint_loader,
    unclip_conditioning,
)
from nodes.context import Context
from tests.models.loading.test_adapters import VISION, open_clip_names, saved, weights_of
from tests.models.tiny_families import SD2, Tiny, family_weights

PROMPT = (Cond(torch.zeros(1, 3, 64)),)
SEEN = Seen(torch.randn(1, 40), torch.zeros(1, 5, 64), torch.zeros(1, 5, 64))
WIDTH = 40


def unclip_file(folder: Path, augmentor: dict[str, Tensor]) -> Path:
    """A checkpoint of Stable Diffusion 2.1 unCLIP with tiny networks."""
    vision = open_clip_names(weights_of(ClipVision(VISION)), "embedder.model.visual.")
    found = family_weights(Tiny(replace(SD2, adm_in_channels=2 * WIDTH), {"cond_stage_model.model.": "clip_h"}))
    return saved(folder, found | vision | augmentor, "unclip")


AUGMENTOR = {
    "noise_augmentor.data_mean": torch.full((1, WIDTH), 0.5),
    "noise_augmentor.data_std": torch.full((1, WIDTH), 2.0),
    "noise_augmentor.betas": torch.zeros(1000),
    "embedder.model.positional_embedding": torch.zeros(77, 8),
    "embedder.model.ln_final.weight": torch.zeros(8),
}


def test_a_picture_of_any_size_is_seen_as_one_vector(context: Context) -> None:
    weights = {name: tensor * 0.1 for name, tensor in weights_of(ClipVision(VISION)).items()}
    saved(context.paths.model_directories("clip_vision")[0], weights, "eye")
    vision = clip_vision_loader("eye.safetensors", context)
    for crop in ("center", "none"):
        seen = clip_vision_encode(vision, torch.rand(2, 40, 70, 3), crop)
        assert seen.image_embeds.shape == (2, 40)
        assert seen.last_hidden_state.shape == seen.penultimate_hidden_states.shape == (2, 5, 64)
        assert seen.image_embeds.isfinite().all()


def test_pictures_gather_in_the_prompt_with_their_strengths() -> None:
    once = unclip_conditioning(PROMPT, SEEN, 0.7, 0.2)
    twice = unclip_conditioning(once, SEEN, -1.0, 0.0)
    assert [(image.strength, image.noise_augmentation) for image in twice[0].images] == [(0.7, 0.2), (-1.0, 0.0)]
    assert unclip_conditioning(PROMPT, SEEN, 0.0) is PROMPT


def test_an_unclip_checkpoint_brings_its_eyes_and_its_statistics(context: Context) -> None:
    unclip_file(context.paths.model_directories("checkpoints")[0], AUGMENTOR)
    found = unclip_checkpoint_loader("unclip.safetensors", context)
    assert isinstance(found.model.vector, PictureVector)
    assert found.model.vector.noise.mean.flatten().tolist() == [0.5] * WIDTH
    assert found.model.vector.noise.std.flatten().tolist() == [2.0] * WIDTH
    with found.clip_vision.on_device() as network:
        assert network.config == VISION


def test_statistics_of_another_width_are_refused(context: Context) -> None:
    wrong = AUGMENTOR | {"noise_augmentor.data_std": torch.ones(1, 3)}
    unclip_file(context.paths.model_directories("checkpoints")[0], wrong)
    with pytest.raises(ModelFileError, match="40 and 3 numbers instead of 40"):
        unclip_checkpoint_loader("unclip.safetensors", context)


def test_pictures_stand_in_place_of_the_pooled_text_of_sdxl() -> None:
    embeds = torch.randn(1, 8)
    rule, occasion = SizesVector(pooled=8), Occasion(torch.zeros(1, 4, 8, 8), stride=8)
    text = replace(PROMPT[0], pooled=torch.ones(1, 8))
    by_text, by_picture = (rule.vector(cond, occasion) for cond in (text, replace(text, images=(ImagePrompt(embeds),))))
    assert torch.equal(by_text[:, 8:], by_picture[:, 8:])
    torch.testing.assert_close(by_picture[:, :8], embeds, atol=0.05, rtol=0.0)
