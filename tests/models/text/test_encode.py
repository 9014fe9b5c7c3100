"""Chunks of tokens, and how weights move what is encoded."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.loading.load import Checkpoint
from models.text.encode import WeightedToken, chunks, encode_prompt, pack, row
from models.text.tokenizer import END_TOKEN, START_TOKEN
from models.types import Clip


@pytest.fixture(scope="module")
def clip(tiny: Checkpoint) -> Clip:
    assert tiny.clip is not None
    return tiny.clip


def span(length: int, weight: float = 1.0) -> list[WeightedToken]:
    return [WeightedToken(token, weight) for token in range(length)]


def lengths(*spans: int) -> list[int]:
    return [len(chunk) for chunk in pack([span(length) for length in spans])]


def features(clip: Clip, tokens: list[int]) -> Tensor:
    """What the encoder itself says of one row."""
    with clip.encoder.on_device() as encoders:
        return encoders.of("clip_l")(torch.tensor([row(tokens)])).hidden


def test_a_prompt_of_one_span_is_cut_every_75_tokens() -> None:
    assert lengths(200) == [75, 75, 50]


def test_an_empty_prompt_is_one_empty_chunk() -> None:
    assert pack([]) == [()]


def test_a_full_chunk_is_not_followed_by_an_empty_one() -> None:
    assert lengths(75) == [75]


def test_a_span_of_eight_tokens_is_cut_and_one_of_seven_moves_as_a_whole() -> None:
    assert lengths(70, 8) == [75, 3]
    assert lengths(70, 7) == [70, 7]
    assert lengths(70, 5, 3) == [75, 3]


def test_no_token_is_lost_or_reordered() -> None:
    spans = [span(length) for length in (70, 8, 3, 150, 7, 7)]
    assert [token for chunk in pack(spans) for token in chunk] == [token for one in spans for token in one]


def test_a_row_is_marked_at_its_start_and_filled_with_end_marks() -> None:
    assert row([5, 6]) == [START_TOKEN, 5, 6] + [END_TOKEN] * 74
    assert len(row(list(range(75)))) == 77


def test_tokens_keep_the_weight_of_their_span(clip: Clip) -> None:
    [chunk] = chunks(clip, "a (cat:1.5)", "clip_l")
    assert [(token.token, token.weight) for token in chunk] == [(320, 1.0), (2368, 1.5)]


def test_without_weights_the_features_are_the_encoders_own(clip: Clip) -> None:
    [cond] = encode_prompt(clip, "a cat")
    torch.testing.assert_close(cond.context, features(clip, [320, 2368]))


def test_a_weight_moves_its_tokens_away_from_the_empty_prompt_and_no_others(clip: Clip) -> None:
    [cond] = encode_prompt(clip, "a (cat:1.5)")
    z, empty = features(clip, [320, 2368]), features(clip, [])
    expected = z.clone()
    expected[:, 2] = (z[:, 2] - empty[:, 2]) * 1.5 + empty[:, 2]
    torch.testing.assert_close(cond.context, expected)


def test_a_weight_of_zero_leaves_the_empty_prompt_there(clip: Clip) -> None:
    [cond] = encode_prompt(clip, "(cat:0)")
    torch.testing.assert_close(cond.context[:, 1], features(clip, [])[:, 1])


def test_a_long_prompt_is_encoded_in_chunks_and_joined(clip: Clip) -> None:
    [cond] = encode_prompt(clip, "cat " * 100)
    expected = torch.cat([features(clip, [2368] * 75), features(clip, [2368] * 25)], dim=1)
    torch.testing.assert_close(cond.context, expected)


def test_the_pooled_output_is_that_of_the_first_chunk_and_not_weighted(clip: Clip) -> None:
    [long] = encode_prompt(clip, "cat " * 100)
    [weighted] = encode_prompt(clip, "(" + "cat " * 100 + ":1.4)")
    with clip.encoder.on_device() as encoders:
        first = encoders.of("clip_l")(torch.tensor([row([2368] * 75)])).pooled
    torch.testing.assert_close(long.pooled, first)
    torch.testing.assert_close(weighted.pooled, first)


def test_a_prompt_of_more_rows_than_go_at_once_is_encoded_all_the_same(clip: Clip) -> None:
    [cond] = encode_prompt(clip, "cat " * 75 * 40)
    assert cond.context.shape == (1, 40 * 77, 64)
    torch.testing.assert_close(cond.context[:, -77:], cond.context[:, :77])


def test_clip_skip_takes_an_earlier_layer_normalized(clip: Clip) -> None:
    [cond] = encode_prompt(replace(clip, layer=-2), "a cat")
    [last] = encode_prompt(clip, "a cat")
    with clip.encoder.on_device() as encoders:
        model = encoders.of("clip_l").text_model
        first_layer = model.encoder.layers[0](model.embeddings(torch.tensor([row([320, 2368])])))
        torch.testing.assert_close(cond.context, model.final_layer_norm(first_layer))
    assert not torch.allclose(cond.context, last.context)


def test_a_layer_that_does_not_exist_means_the_last(clip: Clip) -> None:
    [beyond] = encode_prompt(replace(clip, layer=-24), "a cat")
    [last] = encode_prompt(clip, "a cat")
    torch.testing.assert_close(beyond.context, last.context)
