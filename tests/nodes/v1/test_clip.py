"""A text encoder in foreign hands."""

import pytest
import torch

from models.loading.families import SD1, SDXL, SDXL_REFINER
from models.text.tokenizer import END_TOKEN, START_TOKEN
from models.types import Clip
from nodes.shims.absent import absent_class
from nodes.v1.clip import ForeignClip
from nodes.v1.runtime import NotOfferedError
from nodes.v1.values import to_foreign
from tests.models.tiny_families import text_encoders
from tests.nodes.v1.studio import Studio


@pytest.fixture
def clip(bench_with_model) -> ForeignClip:
    studio = Studio(bench_with_model())
    assert isinstance(studio.clip, Clip)
    return to_foreign(studio.clip)


def test_words_are_what_a_prompt_weighs_as_one_and_marks_are_none(clip):
    (row,) = clip.tokenize("a red (blue sky:1.3) over", return_word_ids=True)["l"]
    assert len(row) == 77
    numbers = [number for _, _, number in row]
    weights = [weight for _, weight, _ in row]
    assert numbers[:7] == [0, 1, 1, 2, 2, 3, 0]
    assert weights[:7] == [1.0, 1.0, 1.0, 1.3, 1.3, 1.0, 1.0]
    assert set(numbers[7:]) == {0}
    assert (row[0][0], row[6][0]) == (START_TOKEN, END_TOKEN)


def test_words_are_counted_through_all_rows(clip):
    rows = clip.tokenize("word " * 80 + "(heavy:1.5)", return_word_ids=True)["l"]
    assert [max(number for _, _, number in row) for row in rows] == [1, 2]


def test_numbered_tokens_mean_the_same(clip):
    text = "a (red:1.2) circle"
    plain = clip.encode_from_tokens(clip.tokenize(text))
    assert torch.equal(plain, clip.encode_from_tokens(clip.tokenize(text, return_word_ids=True)))


def test_each_encoder_encodes_its_own_rows():
    clip = ForeignClip(text_encoders(SDXL))
    tokens = clip.tokenize("a (cat:1.5)")
    inside = clip.cond_stage_model
    first, _ = inside.clip_l.encode_token_weights(tokens["l"])
    second, pooled = inside.clip_g.encode_token_weights(tokens["g"])
    features, pooled_of_both = clip.encode_from_tokens(tokens, return_pooled=True)
    assert torch.equal(torch.cat([first, second], dim=-1), features)
    assert torch.equal(pooled, pooled_of_both)
    with pytest.raises(NotOfferedError, match="clip_h"):
        inside.clip_h.encode_token_weights(tokens["l"])


@pytest.mark.parametrize(
    ("family", "kinds"),
    [(SD1, [True, False, False]), (SDXL, [False, True, False]), (SDXL_REFINER, [True, False, True])],
    ids=["SD 1.x", "SDXL", "refiner"],
)
def test_families_of_text_encoders_are_told_apart(family, kinds):
    inside = ForeignClip(text_encoders(family)).cond_stage_model
    named = [("sd1_clip", "SD1ClipModel"), ("sdxl_clip", "SDXLClipModel"), ("sdxl_clip", "SDXLRefinerClipModel")]
    assert [isinstance(inside, absent_class(f"comfy.{module}", name)) for module, name in named] == kinds
