"""What a file is, told from keys and shapes alone."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from models.loading.detect import Detected, UnknownModelError
from models.loading.detect import detect as detect_parts
from models.loading.families import SD1
from models.loading.header import ModelFileError
from models.loading.keys import split
from models.loading.sources import Shapes
from tests.models.tiny_checkpoint import TEXT, UNET, VAE, tiny_weights

TINY: Mapping[str, tuple[int, ...]] = {key: tuple(tensor.shape) for key, tensor in tiny_weights().items()}


def detect(shapes: Shapes, notes: Mapping[str, str]) -> Detected:
    return detect_parts(split(shapes), shapes, notes)


def without(*prefixes: str) -> Shapes:
    return {key: shape for key, shape in TINY.items() if not key.startswith(prefixes)}


def test_a_checkpoint_is_told_down_to_its_configurations() -> None:
    found = detect(TINY, {})
    assert found.family is SD1
    assert (found.unet, found.vae, found.text) == (UNET, VAE, {"clip_l": TEXT})
    assert found.parts.unexpected == []


def test_a_checkpoint_may_lack_its_text_encoder_and_autoencoder() -> None:
    found = detect(without("first_stage_model.", "cond_stage_model."), {})
    assert found.unet == UNET
    assert found.vae is None
    assert found.text == {}


INPUT = "model.diffusion_model.input_blocks.0.0.weight"
TOKENS = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
PROJECTION = "model.diffusion_model.input_blocks.1.1.proj_in.weight"

OTHERS: dict[str, tuple[Shapes, str]] = {
    "Flux": ({"model.diffusion_model.double_blocks.0.img_attn.qkv.weight": (1, 1)}, "Flux"),
    "LoRA": ({"lora_unet_x.lora_down.weight": (4, 320)}, "a LoRA"),
    "ControlNet": ({"control_model.input_hint_block.0.weight": (16, 3, 3, 3)}, "a ControlNet"),
    "autoencoder": ({"decoder.conv_in.weight": (512, 4, 3, 3)}, "an autoencoder alone"),
    "UNet": ({"input_blocks.0.0.weight": (320, 4, 3, 3)}, "a UNet alone"),
    "anything": ({"spam": (1,), "eggs": (2,)}, "2 tensors such as spam, eggs"),
    "nothing": ({}, "0 tensors"),
    "depth": ({**TINY, INPUT: (32, 5, 3, 3)}, "takes 5 channels, not 4"),
    "linear projections": ({**TINY, PROJECTION: (32, 32)}, "linear layers"),
    "other words": ({**TINY, TOKENS: (1000, 64)}, "knows 1000 tokens"),
    "other width": ({**TINY, TOKENS: (49408, 128)}, "of width 64, its text encoder makes 128"),
    "a strange rank": ({**TINY, INPUT: (32,)}, "nearest family"),
    "a strange rank of words": ({**TINY, TOKENS: (49408, 64, 1)}, "nearest family"),
}


@pytest.mark.parametrize(("shapes", "what"), OTHERS.values(), ids=OTHERS)
def test_another_file_is_refused_with_what_it_is_and_the_nearest_family(shapes: Shapes, what: str) -> None:
    with pytest.raises(UnknownModelError, match=what) as refusal:
        detect(shapes, {})
    assert SD1.name in str(refusal.value)


def test_the_metadata_may_tell_the_colors_of_the_latent() -> None:
    factors = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5]]
    metadata = {"latent_rgb_factors": json.dumps(factors), "latent_rgb_bias": "[0.1, 0.2, 0.3]"}
    latent_format = detect(TINY, metadata).latent_format
    assert latent_format.rgb_factors == tuple(map(tuple, factors))
    assert latent_format.rgb_bias == (0.1, 0.2, 0.3)
    assert latent_format.scale == SD1.latent_format.scale
    assert detect(TINY, {}).latent_format == SD1.latent_format


UNREADABLE = ["", "[[1, 2, 3]]", "7", '["abc"]', "[" * 100_000, "[[1, 2], [1, 2], [1, 2], [1, 2]]"]


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: text[:20])
def test_colors_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ModelFileError, match="latent_rgb_factors"):
        detect(TINY, {"latent_rgb_factors": text})


def test_the_metadata_may_tell_the_norm_groups_of_the_autoencoder() -> None:
    found = detect(TINY, {"first_stage_model.norm_num_groups": "8"})
    assert found.vae == replace(VAE, norm_groups=8)


@pytest.mark.parametrize("text", ["", "0", "-8", "7", "8.0", "eight", "9" * 5000], ids=lambda text: text[:20])
def test_norm_groups_that_do_not_divide_the_widths_are_refused(text: str) -> None:
    with pytest.raises(ModelFileError, match="norm_num_groups"):
        detect(TINY, {"first_stage_model.norm_num_groups": text})
