"""The nodes that encode prompts: what each family is told, and what is shown of what was left out."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.conditioning import Conditioning, PictureSize
from models.loading.families import SD1, SDXL
from models.text.encode import encode_prompt
from models.types import Clip
from nodes.context import Context
from nodes.embeddings import EmbeddingFiles, fingerprint_of_embeddings, with_embeddings
from nodes.sockets import MissingPartError, present
from nodes.spec import Shown, spec_of
from nodes.text import (
    WrongTextEncoderError,
    clip_set_last_layer,
    clip_text_encode,
    clip_text_encode_controlnet,
    clip_text_encode_sdxl,
    clip_text_encode_sdxl_refiner,
)
from tests.models.tiny_families import text_encoders


def folder(context: Context, name: str) -> Path:
    return context.paths.model_directories(name)[0]


@pytest.fixture(scope="module")
def encoders() -> Clip:
    """Stable Diffusion 1.x's text encoder."""
    return text_encoders(SD1)


@pytest.fixture
def clip(encoders: Clip, context: Context) -> Clip:
    """The text encoder with an embedding `words/tiny` in the folder of embeddings."""
    (folder(context, "embeddings") / "words").mkdir()
    save_file({"emb_params": torch.ones(2, 64)}, folder(context, "embeddings") / "words" / "tiny.safetensors")
    return present(with_embeddings(encoders, context), "text encoder")


@pytest.fixture(scope="module")
def sdxl() -> Clip:
    return text_encoders(SDXL)


def conditioning(result: Conditioning) -> Conditioning:
    assert not isinstance(result, Shown)
    return result


@pytest.mark.parametrize("name", ["tiny", "words/tiny", "words\\tiny", "tiny.safetensors"])
def test_an_embedding_is_found_by_its_name_in_any_folder(name: str, clip: Clip, context: Context) -> None:
    [cond] = conditioning(clip_text_encode(f"a embedding:{name}", clip, context))
    [without] = encode_prompt(clip, "a")
    assert not torch.equal(cond.context, without.context)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "iny", "words"])
def test_no_file_outside_the_embedding_folders_is_one(name: str, clip: Clip, context: Context) -> None:
    assert EmbeddingFiles(context.paths)(name) is None


def test_what_was_left_out_of_a_prompt_is_shown_on_the_node_once(clip: Clip, context: Context) -> None:
    shown = clip_text_encode("a embedding:dog embedding:dog", clip, context)
    assert isinstance(shown, Shown)
    assert shown.ui == {"text": ["There is no embedding named 'dog': it was left out of the prompt."]}
    [cond] = shown.result
    [without] = encode_prompt(clip, "a")
    assert torch.equal(cond.context, without.context)


def test_a_changed_embedding_changes_the_identity_of_the_node(clip: Clip, context: Context) -> None:
    def told(text: str | None) -> str:
        spec = spec_of(clip_text_encode)
        assert spec is not None
        assert spec.fingerprint is not None
        return spec.fingerprint(text=text, clip=None, context=context)

    before = told("embedding:tiny,")
    assert "tiny.safetensors" in before
    save_file({"emb_params": torch.ones(3, 64)}, folder(context, "embeddings") / "words" / "tiny.safetensors")
    assert told("embedding:tiny,") != before
    assert told("no embedding") == told(None) == fingerprint_of_embeddings(["(" * 5000], context) == ""


def test_without_a_text_encoder_the_node_says_what_is_missing(context: Context) -> None:
    with pytest.raises(MissingPartError, match="has no text encoder"):
        clip_text_encode("a", None, context)  # pyright: ignore[reportArgumentType]


def test_clip_skip_reaches_all_encoders(sdxl: Clip, context: Context) -> None:
    [usual] = conditioning(clip_text_encode("a", sdxl, context))
    [same] = conditioning(clip_text_encode("a", clip_set_last_layer(sdxl, -2), context))
    [deeper] = conditioning(clip_text_encode("a", clip_set_last_layer(sdxl, -3), context))
    assert torch.equal(usual.context, same.context)
    for half in (slice(0, 64), slice(64, 128)):
        assert not torch.allclose(usual.context[..., half], deeper.context[..., half])


SIZES = {"width": 1, "height": 2, "crop_w": 3, "crop_h": 4, "target_width": 5, "target_height": 6}


def test_each_encoder_of_sdxl_hears_its_own_prompt(sdxl: Clip, context: Context) -> None:
    [cond] = conditioning(clip_text_encode_sdxl(clip=sdxl, **SIZES, text_g="dog", text_l="cat", context=context))
    [cat] = encode_prompt(sdxl, "cat")
    [dog] = encode_prompt(sdxl, "dog")
    assert torch.equal(cond.context[..., :64], cat.context[..., :64])
    assert torch.equal(cond.context[..., 64:], dog.context[..., 64:])
    assert cond.pooled is not None
    assert dog.pooled is not None
    assert torch.equal(cond.pooled, dog.pooled)
    assert cond.size == PictureSize(1, 2, 3, 4, 5, 6)


def test_the_shorter_of_sdxls_prompts_is_filled_up_with_empty_ones(sdxl: Clip, context: Context) -> None:
    long = clip_text_encode_sdxl(clip=sdxl, **SIZES, text_g="dog " * 100, text_l="cat", context=context)
    [cond] = conditioning(long)
    [empty] = encode_prompt(sdxl, "")
    assert cond.context.shape == (1, 154, 128)
    torch.testing.assert_close(cond.context[:, 77:, :64], empty.context[..., :64])


def test_sdxls_node_refuses_the_text_encoder_of_another_family(clip: Clip, context: Context) -> None:
    with pytest.raises(WrongTextEncoderError, match="CLIP-L is wired in: use CLIPTextEncode"):
        clip_text_encode_sdxl(clip=clip, **SIZES, text_g="", text_l="", context=context)


def test_the_refiner_is_told_an_aesthetic_score(clip: Clip, context: Context) -> None:
    found = clip_text_encode_sdxl_refiner(ascore=7.5, width=640, height=480, text="a", clip=clip, context=context)
    [cond] = conditioning(found)
    assert (cond.aesthetic, cond.size) == (7.5, PictureSize(640, 480))


def test_controls_may_hear_another_prompt(clip: Clip, context: Context) -> None:
    given = conditioning(clip_text_encode("a cat", clip, context))
    [cond] = conditioning(clip_text_encode_controlnet(clip, given, "a dog", context))
    [dog] = encode_prompt(clip, "a dog")
    assert cond.control_context is not None
    assert torch.equal(cond.control_context, dog.context)
    assert torch.equal(cond.context, given[0].context)
