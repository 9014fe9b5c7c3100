"""CLIP's tokens."""

from pathlib import Path

import pytest

from models.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer()


def test_a_known_sentence_has_its_published_tokens(tokenizer: Tokenizer) -> None:
    assert tokenizer.tokens("a photo of a cat") == [320, 1125, 539, 320, 2368]


def test_case_and_white_space_do_not_count(tokenizer: Tokenizer) -> None:
    assert tokenizer.tokens("  A  PHOTO\nof a\tCat ") == tokenizer.tokens("a photo of a cat")


def test_nothing_has_no_tokens(tokenizer: Tokenizer) -> None:
    assert tokenizer.tokens("") == tokenizer.tokens(" \n") == []


def test_a_long_text_is_not_cut_and_raises_no_warning(tokenizer: Tokenizer, capfd: pytest.CaptureFixture[str]) -> None:
    assert tokenizer.tokens("cat " * 500) == [2368] * 500
    assert capfd.readouterr().err == ""


def test_every_character_has_tokens(tokenizer: Tokenizer) -> None:
    assert all(0 <= token < 49406 for token in tokenizer.tokens("고양이 🐈 é \x00 ß"))


def test_a_missing_vocabulary_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"vocab\.json"):
        Tokenizer(tmp_path)
